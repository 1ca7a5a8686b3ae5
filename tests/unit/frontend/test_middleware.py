"""OMERO.web's middleware: shared answers leave no session, and no address logs in."""

import importlib.util
from types import ModuleType

import django
import pytest
from django.conf import settings
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tests.stacks import ROOT

SCRIPT = ROOT / "cloudinit" / "web" / "files" / "opt" / "omero" / "web" / "lib" / "idr_middleware.py"


@pytest.fixture(scope="module")
def middleware() -> ModuleType:
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
        django.setup()
    spec = importlib.util.spec_from_file_location("idr_middleware", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def view(request: HttpRequest) -> HttpResponse:
    """Does with the session what OMERO.web does; says what it was asked for anew."""
    asked = [name for name in ("server_settings", "connector") if name not in request.session]
    request.session["connector"] = {"omero_session_key": "x"}
    request.session["server_settings"] = {"browser": {}}
    return HttpResponse(" ".join(asked))


def request(path: str, **headers: str) -> HttpRequest:
    made = RequestFactory().get(path, headers=headers)
    made.session = SessionStore()
    return made


def test_a_shared_answer_leaves_djangos_session_untouched(middleware: ModuleType) -> None:
    asked = request("/webgateway/render_thumbnail/1/", **{"X-IDR-Shared": "1"})
    kept = asked.session
    middleware.SharedAnswers(view)(asked)
    assert asked.session is kept
    assert (kept.accessed, kept.modified) == (False, False)


def test_a_failing_page_leaves_djangos_session_untouched(middleware: ModuleType) -> None:
    def failing(request: HttpRequest) -> HttpResponse:
        request.session["connector"] = {}
        raise RuntimeError

    asked = request("/webgateway/render_thumbnail/1/", **{"X-IDR-Shared": "1"})
    kept = asked.session
    with pytest.raises(RuntimeError):
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
