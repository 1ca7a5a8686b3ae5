"""Who is known to the demo: one visitor, who logs in, and one owner of all data, who never does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """An account, as OMERO describes it."""

    number: int
    name: str
    first_name: str
    last_name: str


VISITOR = User(2, "public", "Public", "visitor")
OWNER = User(3, "demo", "Demo", "owner")
"""Owns all data. In the IDR too visitors own nothing, so the landing page must ask for everybody's data."""
USERS = (VISITOR, OWNER)
