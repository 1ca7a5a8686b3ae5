"""Django middleware of this project, named in omero.web.middleware: what differs from a standard OMERO.web.

The proxy marks requests whose answer is the same for everybody (X-IDR-Shared) and takes their cookies away. Stock
OMERO.web would give each of them a session of its own in Redis: hundreds for one cold plate, millions while the cache
is warmed.
"""

import json
from collections.abc import Callable

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

GetResponse = Callable[[HttpRequest], HttpResponse]

SAME_FOR_ALL = ("server_settings",)
"""Data that OMERO.web reads from OMERO.server for each session. For the public user they are always the same."""

CREDENTIALS = ("bsession", "username", "password")

FAILURES = ("Exception", "ConcurrencyException", "error", "errors")
"""Keys of a JSON object that reports an error, with status 200, in OMERO.web, iviewer and figure."""

TRACES = (b"Traceback (most recent call last)", b"stacktrace", b"\n\tat ")
"""Text that occurs only in errors of Python or Java."""


class Unkept(SessionBase):  # type: ignore[misc]  # Django has no types
    """A session that ends with its request."""

    def exists(self, session_key: str) -> bool:  # noqa: ARG002  the signature is Django's
        """No key is ever taken."""
        return False

    def create(self) -> None:
        """Nothing to make."""

    def save(self, must_create: bool = False) -> None:
        """Nothing to keep."""

    def delete(self, session_key: str | None = None) -> None:
        """Nothing to remove."""

    def load(self) -> dict[str, object]:
        """A new session, empty."""
        return {}


class SharedAnswers:
    """Gives a request for a shared response a session that is not stored. It is after Django's SessionMiddleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.known: dict[str, object] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if "X-IDR-Shared" not in request.headers:
            return self.get_response(request)
        kept = request.session
        request.session = Unkept()
        for name, value in self.known.items():
            request.session[name] = value
        try:
            response = self.get_response(request)
            self.known = {name: request.session[name] for name in SAME_FOR_ALL if name in request.session}
            if getattr(request, "idr_placeholder", False) or says_failed(request.path, response):
                response.headers["X-IDR-Failed"] = "1"
        finally:
            # SessionMiddleware sees its own session unchanged: it saves nothing and sets no cookie.
            request.session = kept
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]) -> None:  # noqa: ARG002  the signature is Django's
        """Note when a view returns a placeholder: OMERO.web does that, with status 200, where there is no thumbnail."""
        placeholder = kwargs.get("_defcb")
        if callable(placeholder):

            def noted(*size: object, **named: object) -> object:
                request.idr_placeholder = True
                return placeholder(*size, **named)

            kwargs["_defcb"] = noted


def says_failed(path: str, response: HttpResponse) -> bool:
    """Whether a response with status 200 reports an error, also for a part of it.

    Such a response must not be cached.
    """
    kind = response.headers.get("Content-Type", "")
    if response.status_code != 200 or response.streaming:
        return False
    if not response.content or "json" not in kind:
        # An empty picture or page is an error.
        return not response.content
    try:
        said = json.loads(response.content)
    except ValueError:
        return True
    if "imgData" in path and said in ([], {}):
        # A part of an image's data (imgData/1/channels/) that OMERO.web could not make.
        return True
    if isinstance(said, list):
        # Each entry of a search may have failed by itself.
        return any(_names_failure(one) for one in said)
    if not isinstance(said, dict):
        return said is None
    return (
        _names_failure(said)
        or ("get_thumbnails" in path and None in said.values())
        or ("gallery-api/thumbnails" in path and not all("thumbnail" in one for one in said.values()))
        or ("imgData" in path and "meta" in said and not (said.get("size") and said.get("channels")))
    )


def _names_failure(said: object) -> bool:
    # Some exceptions have no text.
    return isinstance(said, dict) and any(said.get(key) or said.get(key) == "" for key in FAILURES)


class VisitorsOnlyRead:
    """Gives each session OMERO.web's own read-only mode: no page offers to create, run or export. After SharedAnswers.

    OMERO.web would ask OMERO.server, and offer all of it where that is the read-write one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        request.session.setdefault("can_create", False)
        return self.get_response(request)


class NoCredentialsInAddress:
    """Refuses addresses that log in: OMERO.web accepts them on any page, and the proxy might cache the response."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if any(name in request.GET for name in CREDENTIALS):
            return HttpResponseForbidden("Nobody logs in by address here.")
        return self.get_response(request)


class NoTraces:
    """Writes the text of an error, which names files, versions and hosts, to the log only."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        if response.status_code < 400 or response.streaming or not through_proxy(request):
            return response
        if any(trace in response.content for trace in TRACES):
            if "json" in response.headers.get("Content-Type", ""):
                response.content = json.dumps({"message": response.reason_phrase})
            else:
                response.content = response.reason_phrase
            # Django has set it already.
            response.headers["Content-Length"] = str(len(response.content))
        return response


def through_proxy(request: HttpRequest) -> bool:
    """Whether the request is a visitor's: curators may use OMERO.web's own port, through ssh."""
    return "X-Forwarded-Proto-OMERO-Web" in request.headers
