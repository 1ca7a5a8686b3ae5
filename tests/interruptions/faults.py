"""Faults between the program and the cloud: one request of a command fails."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tests.fake_cloud.cloud import FakeCloud, Service
from tests.fake_cloud.http import Answer, Call, CutError, failure

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
VERSIONS = frozenset({"v2.1", "v2.0", "v2", "v3"})


class Fault(StrEnum):
    """A kind of failure of a request."""

    BUSY = "503"
    TOO_MANY = "429"
    CONFLICT = "409"
    CUT_BEFORE = "cut before it is done"
    CUT_AFTER = "cut after it is done"
    TRUNCATED = "half of the answer"
    LATE_40 = "40 s late"
    LATE_70 = "70 s late"

    def apply(self, call: Call, service: Service) -> Answer:
        """Answer a call with this fault. Raises CutError if there is no answer."""
        match self:
            case Fault.BUSY | Fault.TOO_MANY | Fault.CONFLICT:
                return failure(int(self.value), f"{call.method} {call.path}: not now")
            case Fault.CUT_BEFORE:
                raise CutError
            case Fault.CUT_AFTER:
                service(call)
                raise CutError
            case Fault.TRUNCATED:
                return replace(service(call), truncated=True)
            case Fault.LATE_40 | Fault.LATE_70:
                time.sleep(float(self.value.split()[0]))
                return service(call)


Act = Callable[[Call, Service], Answer]
Counts = Callable[[Call], bool]


@dataclass
class Interruption:
    """Passes on every request but one: the request with this number among those that `counts` selects goes to `act`.

    Afterwards `name` is that request, and `names` are all that were counted.
    """

    counts: Counts
    number: int
    act: Act
    names: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """Return the request that was interrupted; empty if there were fewer."""
        return self.names[self.number - 1] if 0 < self.number <= len(self.names) else ""

    def __call__(self, call: Call, service: Service) -> Answer:
        """Answer a call."""
        with self._lock:
            is_counted = self.counts(call)
            if is_counted:
                self.names.append(title(call))
            is_meant = is_counted and len(self.names) == self.number
        return self.act(call, service) if is_meant else service(call)


def changes(call: Call) -> bool:
    """Return whether a call changes the objects of the project."""
    return call.method in CHANGING and not call.path.startswith("identity")


def are(request: str) -> Counts:
    """Select the requests that have this title."""
    return lambda call: title(call) == request


def title(call: Call) -> str:
    """Return the title of a call in the table: method, service, and the path without ids."""
    return f"{call.method} {'/'.join(_parts(call.path))}"


def _parts(path: str) -> Iterator[str]:
    head, *rest = path.split("/")
    if head == "identity":
        yield head
    else:
        # <region>/<interface>/<service>/<path>
        _, *rest = rest
    yield from (part for part in rest if part not in VERSIONS and not _is_id(part))


def _is_id(part: str) -> bool:
    return len(part.replace("-", "")) == 32 and set(part) <= set("0123456789abcdef-")


@contextmanager
def between(cloud: FakeCloud, interruption: Interruption) -> Iterator[None]:
    """Put an interruption between client and cloud."""
    cloud.between = interruption
    try:
        yield
    finally:
        cloud.between = None
