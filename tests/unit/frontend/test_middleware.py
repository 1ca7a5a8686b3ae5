"""OMERO.web's middleware: shared answers leave no session, and no address logs in."""

import json
from types import ModuleType

import django
import pytest
from django.conf import settings
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from harness.stacks import ROOT
from tests import programs

SCRIPT = ROOT / "cloudinit" / "web" / "files" / "opt" / "omero" / "web" / "lib" / "idr_middleware.py"


@pytest.fixture(scope="module")
def middleware() -> ModuleType:
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
        django.setup()
    return programs.load(SCRIPT)


def view(request: HttpRequest) -> HttpResponse:
    """Use the session as OMERO.web does; answer with the keys that the session lacked."""
    asked = [name for name in ("server_settings", "connector") if name not in request.session]
    request.session["connector"] = {"omero_session_key": "x"}
    request.session["server_settings"] = {"browser": {}}
    return HttpResponse(" ".join(asked))


def request(path: str, **headers: str) -> HttpRequest:
    django_request = RequestFactory().get(path, headers=headers)
    django_request.session = SessionStore()
    return django_request


def test_a_shared_answer_leaves_djangos_session_untouched(middleware: ModuleType) -> None:
    asked = request("/webgateway/render_thumbnail/1/", **{"X-IDR-Shared": "1"})
    kept = asked.session
    middleware.SharedAnswers(view)(asked)
    assert asked.session is kept
    assert (kept.accessed, kept.modified) == (False, False)


def test_a_failing_page_leaves_djangos_session_untouched(middleware: ModuleType) -> None:
    def failing(request: HttpRequest) -> HttpResponse:
        request.session["connector"] = {}
        raise RuntimeError("the page fails")

    asked = request("/webgateway/render_thumbnail/1/", **{"X-IDR-Shared": "1"})
    kept = asked.session
    with pytest.raises(RuntimeError, match="the page fails"):
        middleware.SharedAnswers(failing)(asked)
    assert asked.session is kept
    assert not kept.modified


def test_what_is_the_same_for_all_is_asked_for_once_and_nothing_else_is_passed_on(middleware: ModuleType) -> None:
    answer = middleware.SharedAnswers(view)
    shared = {"X-IDR-Shared": "1"}
    assert answer(request("/a", **shared)).content == b"server_settings connector"
    assert answer(request("/b", **shared)).content == b"connector"


@pytest.mark.parametrize("headers", [{}, {"X-IDR-Shared": "1"}])
def test_no_page_offers_visitors_to_create_anything(middleware: ModuleType, headers: dict[str, str]) -> None:
    offers = []

    def page(request: HttpRequest) -> HttpResponse:
        offers.append(request.session["can_create"])
        return HttpResponse()

    middleware.SharedAnswers(middleware.VisitorsOnlyRead(page))(request("/webclient/", **headers))
    assert offers == [False]


def test_a_page_with_a_session_is_as_before(middleware: ModuleType) -> None:
    asked = request("/webclient/")
    middleware.SharedAnswers(view)(asked)
    assert asked.session["connector"] == {"omero_session_key": "x"}
    assert asked.session.modified


@pytest.mark.parametrize("query", ["bsession=x", "a=b&username=u&password=p", "b%73ession=x", "password="])
def test_no_address_logs_in(middleware: ModuleType, query: str) -> None:
    assert middleware.NoCredentialsInAddress(view)(request(f"/webclient/?{query}")).status_code == 403


def test_other_addresses_pass(middleware: ModuleType) -> None:
    assert middleware.NoCredentialsInAddress(view)(request("/webclient/?show=image-1")).status_code == 200


def answered(middleware: ModuleType, path: str, body: object, **more: object) -> HttpResponse:
    """Return the middleware's answer for a shared answer of OMERO.web."""
    response = HttpResponse(json.dumps(body), content_type="application/json", **more)
    return middleware.SharedAnswers(lambda _: response)(request(path, **{"X-IDR-Shared": "1"}))


PICTURE = "data:image/jpeg;base64,AA=="
IMAGE = {"id": 1, "meta": {"imageName": "x"}, "perms": {}}
FAILED = [
    ("/webgateway/get_thumbnails/", {"101": None}),
    ("/webclient/get_thumbnails/", {"101": PICTURE, "102": None}),
    ("/webgateway/imgData/1/", {"ConcurrencyException": {"backOff": 1000}}),
    ("/webclient/imgData/1/", IMAGE | {"Exception": "ResourceError"}),
    # No rendering engine, or unreadable pixels: OMERO.web answers with what it has.
    ("/webgateway/imgData/1/", IMAGE),
    ("/figure/imgData/1/", IMAGE | {"size": {"width": 1}, "channels": []}),
    ("/webgateway/imgData/1/size/", None),
    ("/webgateway/imgData/1/channels/", []),
    ("/webgateway/imgData/1/size/", {}),
    (
        "/gallery-api/thumbnails/",
        {"project-1": {"image": {"id": 1}, "thumbnail": PICTURE}, "screen-2": {"image": {"id": 2}}},
    ),
    ("/webgateway/search/", [IMAGE, {"ConcurrencyException": {"backOff": 1000}}]),
    ("/webgateway/histogram_json/1/channel/0/", {"error": "no pixels"}),
    ("/webgateway/table/1/query/", {"error": "Table 1 not found"}),
    ("/iviewer/image_data/1/", {"error": "Traceback"}),
    ("/iviewer/shape_stats/", {"error": ""}),
    ("/iviewer/persist_rois/", {"errors": ["x"]}),
]
WELL = [
    ("/webgateway/get_thumbnails/", {"101": PICTURE}),
    ("/webgateway/imgData/1/", IMAGE | {"size": {"width": 1}, "channels": [{}]}),
    ("/webgateway/imgData/1/meta/", {"imageName": "error"}),
    ("/webgateway/plate/1/0/", {"grid": [[None, {"id": 1}]]}),
    ("/api/v0/m/images/", {"data": [], "meta": {}}),
    ("/webgateway/get_rois_json/1/", []),
    ("/webgateway/imgData/1/meta.imageDescription/", ""),
    ("/webgateway/imgData/1/tiles/", False),
    ("/webgateway/imgData/1/init_zoom/", 0),
    ("/gallery-api/thumbnails/", {"project-1": {"image": {"id": 1}, "thumbnail": PICTURE}}),
    ("/gallery-api/thumbnails/", {}),
    ("/webgateway/search/", [IMAGE]),
    ("/webclient/omero_table/1/json/", {"data": {"rows": []}, "error": None}),
]


@pytest.mark.parametrize(("path", "body"), FAILED)
def test_an_answer_that_says_failed_is_marked(middleware: ModuleType, path: str, body: object) -> None:
    assert answered(middleware, path, body).headers["X-IDR-Failed"] == "1"


@pytest.mark.parametrize(("path", "body"), WELL)
def test_a_good_answer_is_not(middleware: ModuleType, path: str, body: object) -> None:
    assert "X-IDR-Failed" not in answered(middleware, path, body).headers


@pytest.mark.parametrize("kind", ["image/jpeg", "text/html; charset=utf-8", "application/json"])
@pytest.mark.parametrize(("content", "failed"), [(b"", True), (b"1", False)])
def test_an_answer_of_nothing_is_marked(middleware: ModuleType, kind: str, content: bytes, failed: bool) -> None:
    asked = request("/webgateway/render_image/1/0/0/", **{"X-IDR-Shared": "1"})
    response = middleware.SharedAnswers(lambda _: HttpResponse(content, content_type=kind))(asked)
    assert ("X-IDR-Failed" in response.headers) is failed


def test_a_page_with_a_session_is_not_marked(middleware: ModuleType) -> None:
    response = middleware.SharedAnswers(lambda _: HttpResponse('{"error": 1}', content_type="application/json"))(
        request("/")
    )
    assert "X-IDR-Failed" not in response.headers


@pytest.mark.parametrize("there", [True, False])
def test_a_placeholder_for_a_thumbnail_is_marked(middleware: ModuleType, there: bool) -> None:
    asked = request("/webclient/render_thumbnail/1/", **{"X-IDR-Shared": "1"})

    def thumbnail(request: HttpRequest) -> HttpResponse:
        options = {"_defcb": lambda size: f"placeholder {size}"}
        answers.process_view(request, None, (), options)
        return HttpResponse("picture" if there else options["_defcb"](size=96), content_type="image/jpeg")

    answers = middleware.SharedAnswers(thumbnail)
    response = answers(asked)
    assert response.content == (b"picture" if there else b"placeholder 96")
    assert ("X-IDR-Failed" in response.headers) is not there


TRACE = (
    'Traceback (most recent call last):\n  File "/opt/omero/web/venv3/x.py", line 1\nIce.ConnectionLost: 10.130.1.40'
)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps({"message": "x", "stacktrace": TRACE}), "application/json"),
        (TRACE, "text/html"),
        ("ome.conditions.ApiUsageException\n\tat ome.services.query.Query(Query.java:1)", "text/html"),
    ],
)
def test_no_trace_of_a_failure_reaches_a_visitor(middleware: ModuleType, body: str, kind: str) -> None:
    def failing(_: HttpRequest) -> HttpResponse:
        return HttpResponse(body, content_type=kind, status=500)

    asked = request("/webgateway/imgData/1/", **{"X-Forwarded-Proto-OMERO-Web": "https"})
    response = middleware.NoTraces(failing)(asked)
    assert (response.status_code, b"venv3" in response.content, b".java" in response.content) == (500, False, False)
    assert b"Internal Server Error" in response.content
    assert middleware.NoTraces(failing)(request("/")).content == body.encode()


def test_a_failure_without_its_text_is_as_long_as_it_says(middleware: ModuleType) -> None:
    """Django's CommonMiddleware, which runs earlier, has measured the text."""

    def failing(asked: HttpRequest) -> HttpResponse:  # noqa: ARG001  # the signature is Django's
        body = b"Traceback (most recent call last)"
        return HttpResponse(body, status=500, headers={"Content-Length": str(len(body))})

    response = middleware.NoTraces(failing)(request("/", **{"X-Forwarded-Proto-OMERO-Web": "https"}))
    assert response.headers["Content-Length"] == str(len(response.content)) == "21"
