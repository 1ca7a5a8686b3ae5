"""The sessions of logged-in users. A session ends when it is idle for too long, or when there are too many."""

import hmac
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .users import GUEST, IS_PRIVATE, User

MAX_SESSIONS = 2000
MAX_SERVICES = 200
"""Stateful services of one session; OMERO.web shares one session among all public visitors."""


@dataclass
class Session:
    """A session: its user, its secret id, and the stateful services that it has opened, by name."""

    user: User
    uuid: str
    started: float
    last_used: float
    services: OrderedDict[str, object] = field(default_factory=OrderedDict)

    def open(self, service: object) -> str:
        """Add a stateful service and return its name. Remove the oldest when there are too many."""
        name = str(uuid.uuid4())
        self.services[name] = service
        while len(self.services) > MAX_SERVICES:
            self.services.popitem(last=False)
        return name


class Sessions:
    """All sessions. Safe to use from many threads."""

    def __init__(
        self, users: Iterable[User], password_file: Path, idle_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._users = {user.name: user for user in users}
        self._password_file = password_file
        self.idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # least recently used first

    def log_in(self, user: str, password: str) -> Session | None:
        """Return a new session, or the session whose id is both `user` and `password`; None if refused."""
        if user == password and (joined := self.use(user)):
            return joined
        account = self._authenticate(user, password)
        if account is None:
            return None
        now = self._clock()
        session = Session(account, str(uuid.uuid4()), now, now)
        with self._lock:
            self._sessions[session.uuid] = session
            self._remove_idle(now)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def _authenticate(self, user: str, password: str) -> User | None:
        if IS_PRIVATE and user == GUEST.name:
            return GUEST
        expected = self._password_file.read_text().strip()  # read each time, because it can be rotated
        matches = hmac.compare_digest(password.encode(), expected.encode())
        return self._users.get(user) if expected and matches else None

    def use(self, session_uuid: str) -> Session | None:
        """Return the session with this id and restart its idle time; None if it does not exist or has ended."""
        now = self._clock()
        with self._lock:
            self._remove_idle(now)
            session = self._sessions.get(session_uuid)
            if session:
                session.last_used = now
                self._sessions.move_to_end(session_uuid)
            return session

    def close(self, session_uuid: str) -> None:
        """End a session and its services."""
        with self._lock:
            self._sessions.pop(session_uuid, None)

    def _remove_idle(self, now: float) -> None:
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if now - oldest.last_used < self.idle_seconds:
                return
            del self._sessions[oldest.uuid]
