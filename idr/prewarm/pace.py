"""Limit the requests sent at once: more while responses are as fast as before, fewer when they slow down."""

import asyncio

FEWEST = 1.0
FIRST = 8.0
SLOWER = 2.0
"""Responses this many times slower than the best ones mean that requests queue on the server."""
SLACK = 0.05
"""Seconds of delay to tolerate: a queue of some milliseconds does not matter."""
CUT = 0.7
GROWTH = 1.5
"""Growth until the first cut, so that a run reaches its rate within seconds."""
SAMPLE = 16
RISE = 0.1
"""Growth after the first cut as a share of the limit, at least 1, after every sample that was as fast as before."""


class Pace:
    """Additive increase, multiplicative decrease, updated after every `SAMPLE` or 2 x limit responses.

    At the lowest limit no request waits for another, so the best time is measured again there: fast responses from a
    cache at the beginning do not slow down the rest of the run.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = min(FIRST, self._most)
        self._growing = True
        self._best: dict[str, float] = {}
        self._seconds: dict[str, list[float]] = {}
        self._answers = 0
        self._trouble = False
        self._busy = 0
        self._freed = asyncio.Event()

    @property
    def limit(self) -> int:
        """The most requests at once."""
        return int(self._limit)

    async def enter(self) -> None:
        """Wait for a free slot and take it. Only one caller may wait at a time."""
        while self._busy >= self.limit:
            self._freed.clear()
            await self._freed.wait()
        self._busy += 1

    def leave(self) -> None:
        """Give the slot back."""
        self._busy -= 1
        self._freed.set()

    def watch(self, path: str, seconds: float, overloaded: bool) -> None:
        """Record an attempt. Its kind are the first two parts of the path: only requests of one kind are compared."""
        self.note("/".join(path.split("/", 3)[:3]), seconds, overloaded=overloaded)

    def note(self, kind: str, seconds: float, *, overloaded: bool) -> None:
        """Record the seconds of a request of one kind. `overloaded`: its response says so, or there was none."""
        self._seconds.setdefault(kind, []).append(seconds)
        self._trouble = self._trouble or overloaded
        self._answers += 1
        if self._answers >= max(SAMPLE, 2 * self.limit):
            self._decide()

    def _decide(self) -> None:
        # A metadata page takes longer than a thumbnail, so only requests of one kind are compared.
        kind, seconds = max(self._seconds.items(), key=lambda entry: len(entry[1]))
        # The lower quartile: a queue delays every response, a busy moment of either machine only some.
        typical = sorted(seconds)[len(seconds) // 4]
        best = typical if self.limit <= FEWEST else min(typical, self._best.get(kind, typical))
        self._best[kind] = best
        if self._trouble or typical > SLOWER * best + SLACK:
            self._limit = max(FEWEST, self._limit * CUT)
            self._growing = False
        else:
            self._limit = min(
                self._most, self._limit * GROWTH if self._growing else self._limit + max(1.0, self._limit * RISE)
            )
        self._seconds.clear()
        self._answers = 0
        self._trouble = False
        self._freed.set()
