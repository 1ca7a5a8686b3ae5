"""What users of the demo see: everything, or their own half of the plate if they log in."""

import pytest
from demo_image_server import users
from demo_image_server.users import ADA, BEN, GUEST, OWNER, VISITOR, User

ROWS = 16


def readable_rows(user: User) -> set[int]:
    """Return the rows that a user sees."""
    return {row for row in range(ROWS) if users.can_read(user, users.owner_of(row, ROWS))}


def test_the_public_user_reads_all_of_the_one_owners_data() -> None:
    assert readable_rows(VISITOR) == set(range(ROWS))
    assert {users.owner_of(row, ROWS) for row in range(ROWS)} == {OWNER}


def test_users_read_their_own_data_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "IS_PRIVATE", True)
    monkeypatch.setattr(users, "OWNERS", (ADA, BEN))
    assert [readable_rows(user) for user in (ADA, BEN, GUEST)] == [set(range(8)), set(range(8, 16)), set()]
