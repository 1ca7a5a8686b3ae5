"""Who is logged in. A session ends when nobody used it for a while, or when there are too many."""

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
    """One login: whose, its secret number, and the stateful services that it opened (by the name of each)."""

    user: User
    uuid: str
    started: float
    used: float
    services: OrderedDict[str, object] = field(default_factory=OrderedDict)

    def open(self, service: object) -> str:
        """Keep a stateful service; returns its name. The oldest gives way when there are too many."""
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
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # the longest unused first

    def log_in(self, user: str, password: str) -> Session | None:
        """A new session for a user, or the one that `user` and `password` name; None: refused."""
        if user == password and (joined := self.use(user)):
            return joined
        known = self._known(user, password)
        if known is None:
            return None
        now = self._clock()
        session = Session(known, str(uuid.uuid4()), now, now)
        with self._lock:
            self._sessions[session.uuid] = session
            self._forget_idle(now)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def _known(self, user: str, password: str) -> User | None:
        if IS_PRIVATE and user == GUEST.name:
            return GUEST
        expected = self._password_file.read_text().strip()  # read anew: it may be rotated
        right = hmac.compare_digest(password.encode(), expected.encode())
        return self._users.get(user) if expected and right else None

    def use(self, session_uuid: str) -> Session | None:
        """The session of that number, now used; None when there is none (any more)."""
        now = self._clock()
        with self._lock:
            self._forget_idle(now)
            session = self._sessions.get(session_uuid)
            if session:
                session.used = now
                self._sessions.move_to_end(session_uuid)
            return session

    def close(self, session_uuid: str) -> None:
        """End a session, and all that it opened."""
        with self._lock:
            self._sessions.pop(session_uuid, None)

    def _forget_idle(self, now: float) -> None:
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if now - oldest.used < self.idle_seconds:
                return
            del self._sessions[oldest.uuid]
