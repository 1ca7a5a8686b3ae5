"""Who is known to the demo: one visitor, who logs in, and the owner of all data, who never does; or two users."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """An account, as OMERO describes it."""

    number: int
    name: str
    first_name: str
    last_name: str


GUEST = User(1, "guest", "Guest", "account")
"""OMERO's own, as which OMERO.web asks whether the server is up: no password, and nothing to see."""
VISITOR = User(2, "public", "Public", "visitor")
OWNER = User(3, "demo", "Demo", "owner")
"""Owns all data. In the IDR too visitors own nothing, so the landing page must ask for everybody's data."""
ADA, BEN = User(4, "ada", "Ada", "user"), User(5, "ben", "Ben", "user")
"""Each owns a half of the plate and sees no other."""

IS_PRIVATE = os.environ.get("DEMO_VISITORS") == "login"
USERS = (ADA, BEN) if IS_PRIVATE else (VISITOR, OWNER)
LOGINS = (ADA, BEN) if IS_PRIVATE else (VISITOR,)
"""Who logs in with the password."""
OWNERS = (ADA, BEN) if IS_PRIVATE else (OWNER,)


def owner_of(row: int, rows: int) -> User:
    """The owner of a row of the plate: each of them has as many, one after another."""
    return OWNERS[row * len(OWNERS) // rows]


def sees(user: User, owner: User) -> bool:
    """Whether a user may look at what another one owns."""
    return not IS_PRIVATE or user == owner
