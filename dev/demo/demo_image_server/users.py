"""The users of the demo: a public user and the owner of all data, or (`DEMO_VISITORS=login`) two private users."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """An account of OMERO."""

    number: int
    name: str
    first_name: str
    last_name: str


GUEST = User(1, "guest", "Guest", "account")
"""OMERO's guest, as which OMERO.web checks that the server is up: without a password and without data."""
VISITOR = User(2, "public", "Public", "visitor")
OWNER = User(3, "demo", "Demo", "owner")
"""Owns all data and never logs in. In the IDR too, the public user owns nothing: pages must ask for all users' data."""
ADA, BEN = User(4, "ada", "Ada", "user"), User(5, "ben", "Ben", "user")
"""Each owns one half of the plate and can read only that."""

IS_PRIVATE = os.environ.get("DEMO_VISITORS") == "login"
USERS = (ADA, BEN) if IS_PRIVATE else (VISITOR, OWNER)
LOGINS = (ADA, BEN) if IS_PRIVATE else (VISITOR,)
"""The users who log in with the password."""
OWNERS = (ADA, BEN) if IS_PRIVATE else (OWNER,)


def owner_of(row: int, rows: int) -> User:
    """Return the owner of a row of the plate. All owners have the same number of adjacent rows."""
    return OWNERS[row * len(OWNERS) // rows]


def can_read(user: User, owner: User) -> bool:
    """Return whether a user can read the data of an owner."""
    return not IS_PRIVATE or user == owner
