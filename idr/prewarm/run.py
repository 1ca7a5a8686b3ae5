"""One run: request the pages of the catalogue's objects at the allowed pace, and save the state regularly."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from .catalogue import Item, Position, catalogue
from .client import Client, RequestError
from .pace import Pace
from .pages import FIRST, STATIC, further_paths
from .state import WINDOW, Ledger, State, save

SAVE_EVERY = 32
"""Objects between two writes of the state. After a killed run these are requested again."""
READ_AHEAD = 512
"""Objects that are listed in advance, so that no request waits for the next page of a list."""
GIVE_UP = 50
"""After so many consecutive failures the service counts as down, and the objects as not done."""


class StoppedError(Exception):
    """The run ended early; the next one continues from there."""


@dataclass
class Report:
    """The result of a run. `done` counts objects by kind, including the runs that it continues."""

    total: dict[str, int]
    done: dict[str, int]
    failed: int
    requests: int = 0
    seconds: float = 0.0
    complete: bool = False


@dataclass
class Run:
    """A pre-warm of one release, or of the objects `chosen`. `changed` is called whenever an object is done."""

    client: Client
    state: State
    state_file: Path
    pace: Pace
    changed: Callable[[Report], None]
    images: bool = True
    chosen: Sequence[str] = ()
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = Report({}, dict(self.state.done), self.state.failed)
        self._ledger = Ledger(self.state)
        self._unsaved = 0
        self._static: set[str] = set()
        self._streak: list[tuple[Position, Item, RequestError]] = []
        self._item_ended = asyncio.Event()
        self._catalogue = catalogue(self.chosen, self.client.get, self._record, images=self.images)

    @property
    def failures_file(self) -> Path:
        """The file of failures, one JSON object a line."""
        return self.state_file.with_name(f"{self.state_file.name}.failed")

    async def __call__(self) -> Report:
        """Request everything that is not done yet. Raises RequestError or StoppedError."""
        start = time.monotonic()
        stopped: Exception | None = None
        try:
            self.report.total = await self._catalogue.counts()
            await self._request_first()
            await self._run_all()
        except* (RequestError, StoppedError) as errors:
            stopped = errors.exceptions[0]
        self.report.complete = self.state.complete = not stopped
        self.report.requests = self.client.requests
        self.report.seconds = time.monotonic() - start
        self._save()
        if stopped:
            raise stopped
        return self.report

    async def _run_all(self) -> None:
        queue: asyncio.Queue[tuple[Position, Item] | None] = asyncio.Queue(READ_AHEAD)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._list(queue))
            while entry := await queue.get():
                position, item = entry
                if self._ledger.take(position):
                    await self._wait_for_slot()
                    tasks.create_task(self._request_item(position, item))
        if self._streak:
            await self._catalogue.counts()  # raises if the service failed, not the last objects
        self._settle()

    async def _list(self, queue: "asyncio.Queue[tuple[Position, Item] | None]") -> None:
        async for entry in self._catalogue.items(self.state.place):
            await queue.put(entry)
        await queue.put(None)

    async def _wait_for_slot(self) -> None:
        """Wait until another object may be requested. Raises StoppedError when the service is down."""
        await self.pace.enter()
        while self._ledger.spread > WINDOW and len(self._streak) < GIVE_UP:
            self._item_ended.clear()
            await self._item_ended.wait()
        if len(self._streak) >= GIVE_UP:
            raise StoppedError(f"{GIVE_UP} requests in a row failed, the last one {self._streak[-1][2]}")

    async def _request_item(self, position: Position, item: Item) -> None:
        try:
            for path in item.paths:
                await self._request(path)
        except RequestError as error:
            self._streak.append((position, item, error))
        else:
            self._settle()
            self._finish(position, item)
        finally:
            self.pace.leave()
            self._item_ended.set()
        self.changed(self.report)

    async def _request_first(self) -> None:
        for path in FIRST:
            try:
                await self._request(path)
            except RequestError as error:
                if not self.client.answered:
                    raise
                self._record(error.path, error.why)

    async def _request(self, path: str) -> None:
        """Request a page and what a browser then requests; each static file once. Raises RequestError."""
        for further in further_paths(path, await self.client.get(path)):
            if not further.startswith(STATIC):
                await self._request(further)
            elif further not in self._static:
                self._static.add(further)
                await self._request_file(further)

    async def _request_file(self, path: str) -> None:
        """Request a static file and its files. Raises RequestError; the next page that names it requests it again."""
        try:
            await self._request(path)
        except RequestError as error:
            # OMERO.web's style sheets name files that do not exist.
            if error.status != httpx.codes.NOT_FOUND:
                self._static.discard(path)
                raise

    def _settle(self) -> None:
        """Count objects with earlier failures as done: since the service works, the objects were at fault."""
        for position, item, error in self._streak:
            self._record(error.path, error.why)
            self._finish(position, item)
        self._streak.clear()

    def _finish(self, position: Position, item: Item) -> None:
        self._ledger.finish(position)
        self.report.done[item.kind] = self.report.done.get(item.kind, 0) + 1
        self._unsaved += 1
        if self._unsaved >= SAVE_EVERY:
            self._save()

    def _record(self, path: str, why: str) -> None:
        self.report.failed += 1
        with self.failures_file.open("a") as file:
            file.write(json.dumps({"path": path, "why": why}) + "\n")

    def _save(self) -> None:
        self.state.place, self.state.ahead = self._ledger.progress()
        self.state.done, self.state.failed = self.report.done, self.report.failed
        save(self.state_file, self.state)
        self._unsaved = 0
