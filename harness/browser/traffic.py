"""Reads a browser's requests and console messages from Chromium's logs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

ERROR_STATUS = 400
COMPLAINTS = ("SEVERE",)
ASKED_UPSTREAM = ("MISS", "EXPIRED", "BYPASS", "STALE", "UPDATING", "REVALIDATED")


@dataclass(frozen=True)
class Request:
    """One request, and how it ended."""

    url: str
    status: int = 0
    failure: str = ""
    """Chromium's reason if the response was not complete; empty for requests that the page itself cancelled."""
    cache: str = ""
    """The proxy's cache status: HIT, MISS, ...; empty for responses that are not cached or from the browser's cache."""
    ended: bool = False

    @property
    def path(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return bool(self.failure) or self.status >= ERROR_STATUS


@dataclass(frozen=True)
class Traffic:
    """All requests, and the errors of the console."""

    requests: tuple[Request, ...]
    console: tuple[str, ...]

    @property
    def failures(self) -> list[str]:
        """Return every failed request and every error of the console, as text."""
        failed = [f"{request.path}: {request.failure or request.status}" for request in self.requests if request.failed]
        return [*failed, *self.console]

    @property
    def went_up(self) -> list[str]:
        """Return the cacheable requests that the proxy sent to OMERO.web."""
        return [request.path for request in self.requests if request.cache in ASKED_UPSTREAM]


class Recorder:
    """Follows the events of Chromium's performance log from request to request."""

    def __init__(self) -> None:
        self._open: dict[str, Request] = {}
        self._done: list[Request] = []

    def note(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """Read entries of the log. Return whether one of them was about a request."""
        heard = False
        for entry in entries:
            message = json.loads(entry["message"])["message"]
            if handle := self._handlers.get(message["method"]):
                handle(self, message["params"])
                heard = True
        return heard

    @property
    def waiting(self) -> bool:
        """Whether a response is still missing."""
        return any(not request.status for request in self._open.values())

    def requests(self) -> tuple[Request, ...]:
        """Return all requests over the network, with those that have ended first."""
        return (*self._done, *self._open.values())

    def _asked(self, event: Mapping[str, Any]) -> None:
        number = event["requestId"]
        if "redirectResponse" in event:
            self._done.append(replace(_answered(self._open.pop(number), event["redirectResponse"]), ended=True))
        # Without a page's own data (blob:, data:): such requests have no end.
        if event["request"]["url"].startswith("http"):
            self._open[number] = Request(event["request"]["url"])

    def _answer(self, event: Mapping[str, Any]) -> None:
        if request := self._open.get(event["requestId"]):
            self._open[event["requestId"]] = _answered(request, event["response"])

    def _end(self, event: Mapping[str, Any]) -> None:
        if request := self._open.pop(event["requestId"], None):
            failure = "" if event.get("canceled") else event.get("errorText", "")
            self._done.append(replace(request, failure=failure, ended=True))

    _handlers = {  # noqa: RUF012  # never changed
        "Network.requestWillBeSent": _asked,
        "Network.responseReceived": _answer,
        "Network.loadingFinished": _end,
        "Network.loadingFailed": _end,
    }


def _answered(request: Request, response: Mapping[str, Any]) -> Request:
    headers = {name.lower(): value for name, value in response["headers"].items()}
    cache = "" if response.get("fromDiskCache") else headers.get("x-cache-status", "")
    return replace(request, status=response["status"], cache=cache)


def complaints(console: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the errors of Chromium's console log. Its warnings are about old features that OMERO.web uses."""
    return tuple(f"{entry['level']}: {entry['message']}" for entry in console if entry["level"] in COMPLAINTS)
