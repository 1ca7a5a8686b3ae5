"""Sessions: who can log in, and for how long."""

from pathlib import Path

import pytest
from demo_image_server.sessions import MAX_SERVICES, MAX_SESSIONS, Sessions
from demo_image_server.users import ADA, BEN, GUEST, VISITOR

IDLE_SECONDS = 600


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Sessions:
    password = tmp_path / "password"
    password.write_text("right\n")
    return Sessions((VISITOR,), password, IDLE_SECONDS, clock)


@pytest.mark.parametrize(("user", "password"), [("public", "wrong"), ("root", "right"), ("public", ""), ("x", "x")])
def test_strangers_are_refused(sessions: Sessions, user: str, password: str) -> None:
    assert sessions.log_in(user, password) is None


def test_an_empty_password_file_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert Sessions((VISITOR,), tmp_path / "empty", IDLE_SECONDS).log_in("public", "") is None


def test_a_session_can_be_joined_and_ends_when_idle(sessions: Sessions, clock: Clock) -> None:
    session = sessions.log_in("public", "right")
    assert session
    clock.now += IDLE_SECONDS - 1
    assert sessions.log_in(session.uuid, session.uuid) is session
    clock.now += IDLE_SECONDS - 1
    assert sessions.use(session.uuid) is session
    clock.now += IDLE_SECONDS
    assert sessions.use(session.uuid) is None


def test_closing_ends_a_session(sessions: Sessions) -> None:
    session = sessions.log_in("public", "right")
    assert session
    sessions.close(session.uuid)
    assert sessions.use(session.uuid) is None


def test_sessions_and_services_are_bounded(sessions: Sessions) -> None:
    first = sessions.log_in("public", "right")
    assert first
    for _ in range(MAX_SESSIONS):
        assert sessions.log_in("public", "right")
    assert sessions.use(first.uuid) is None
    names = [first.open(object()) for _ in range(MAX_SERVICES + 1)]
    assert list(first.services) == names[1:]


def test_users_have_sessions_of_their_own_and_the_guest_needs_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("right\n")
    users = Sessions((ADA, BEN), tmp_path / "password", IDLE_SECONDS)
    entered = [users.log_in(name, "right") for name in ("ada", "ben", "public", "demo")]
    assert [session and session.user for session in entered] == [ADA, BEN, None, None]
    assert users.log_in("ada", "wrong") is None
    assert users.log_in("guest", "guest") is None
    monkeypatch.setattr("demo_image_server.sessions.IS_PRIVATE", True)
    guest = users.log_in("guest", "anything")
    assert guest
    assert guest.user == GUEST
