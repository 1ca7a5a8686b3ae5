"""What the IDR's OMERO.web does otherwise than the stock one: Django middleware, named in omero.web.middleware.

The proxy marks requests whose answer is the same for everybody (X-IDR-Shared) and takes their cookies away. Stock
OMERO.web would give each of them a session of its own in Redis: hundreds for one cold plate, millions while the cache
is warmed.
"""

from collections.abc import Callable

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

GetResponse = Callable[[HttpRequest], HttpResponse]

SAME_FOR_ALL = ("server_settings",)
"""What OMERO.web asks OMERO.server for at the beginning of each session; for the public user always the same."""

CREDENTIALS = ("bsession", "username", "password")


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
    """Gives a request for a shared answer a session that is forgotten. Stands after Django's SessionMiddleware."""

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
        finally:
            # SessionMiddleware sees the one that it made, untouched: nothing to save, no cookie to set.
            request.session = kept
        return response


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
    """Refuses addresses that log in: OMERO.web would take them on any page, and the proxy might keep the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if any(name in request.GET for name in CREDENTIALS):
            return HttpResponseForbidden("Nobody logs in by address here.")
        return self.get_response(request)
