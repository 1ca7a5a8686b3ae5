"""Additions of a site where users log in and all applications are served: each works as it does alone."""

from collections.abc import Iterator

import httpx
import pytest

from harness import proxy, stacks
from model import web_apps
from model.planning import plan
from model.reading import Source, parse
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import visiting
from tests.unit.frontend.conftest import WEB
from tests.unit.frontend.test_public_site import ROBOTS, SITE, SNIPPET, written

ADA = {"Cookie": "sessionid_demo1=private-of-ada"}
REDIRECTS = [
    {"from": "/", "to": "/study/idr0001/"},
    {"from": "/iviewer/?images=1", "to": "/webclient/img_detail/1/"},
    {"from": "^/mapr/api(/.*)?$", "to": "/searchengine/", "permanent": True},
]


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a user who has logged in, in front of the proxy of such a stack."""
    folder = tmp_path_factory.mktemp("together")
    values = stacks.values("local") | {
        "visitors": "login",
        "web": {"apps": [*web_apps.table()]},
        "site": SITE,
        "redirects": REDIRECTS,
    }
    source = Source("local", "Pulumi.local.yaml", folder=written(folder / "checkout", own=SNIPPET))
    stack_plan = plan(parse(values, source), "local")
    pages = folder / "proxy" / "srv" / "idr-pages" / "current"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<h1>About us</h1>")
    with upstreams.running(proxy.certificate(stack_plan)) as upstream:
        upstream.body = upstreams.COOKIE
        nginx = proxy.Nginx(folder / "proxy", {WEB: upstream.address})
        with visiting(nginx, stack_plan, ADA) as client:
            yield client


@pytest.mark.parametrize(
    ("path", "status", "leads_to"),
    [
        ("/", 302, "/study/idr0001/"),
        ("/iviewer/?images=1", 302, "/webclient/img_detail/1/"),
        ("/mapr/api/gene/", 301, "/searchengine/"),
        ("/about", 301, "/about/"),
        ("/jupyter/", 302, "/about/analysis.html#GET"),
    ],
)
def test_redirects_of_the_site_come_before_applications(
    user: httpx.Client, path: str, status: int, leads_to: str
) -> None:
    answer = user.get(path)
    assert answer.status_code == status
    assert answer.headers["location"].endswith(leads_to)


@pytest.mark.parametrize("path", ["/iviewer/?images=2", "/figure/", "/study/idr0001/", "/search/", "/mapr/gene/"])
def test_pages_of_applications_are_the_users_own(user: httpx.Client, path: str) -> None:
    answer = user.get(path)
    assert (answer.status_code, answer.text) == (200, ADA["Cookie"])
    assert "x-cache-status" not in answer.headers
    assert "private" in answer.headers["cache-control"]
    assert answer.headers["x-robots-tag"] == "noarchive"
    assert "frame-src 'self' https://www.youtube.com" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "text", "kept"),
    [
        ("/about/", "<h1>About us</h1>", ["public, max-age=300"]),
        ("/robots.txt", ROBOTS, []),
        ("/.well-known/security.txt", "Contact: mailto:security@example.org\n", []),
    ],
)
def test_pages_of_the_site_need_no_login(user: httpx.Client, path: str, text: str, kept: list[str]) -> None:
    answer = user.get(path, headers={"Cookie": ""})
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers.get_list("cache-control") == kept
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers.get_list("x-robots-tag") == ["noarchive"]
