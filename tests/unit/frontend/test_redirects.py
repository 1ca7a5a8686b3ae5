"""Redirects of a stack file, by the real nginx, and those that are refused before it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness import proxy, stacks
from model.planning import plan
from model.reading import SettingsError, Source, parse
from tests.unit.frontend import upstream as upstreams

REDIRECTS: list[dict[str, Any]] = [
    {"from": "/about", "to": "/about/index.html"},
    {"from": "/old/", "to": "https://www.example.org/new/?a=1#part", "permanent": True},
    {"from": "^/study/(idr\\d{4})/(\\w+)$", "to": "/webclient/?show=$2&name=$1"},
    {"from": "^/webclient/userdata/?$", "to": "/about"},
]


def parsed(redirects: list[dict[str, Any]]) -> Any:
    return parse(stacks.values("local") | {"redirects": redirects}, Source("local", "Pulumi.local.yaml"))


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    made = plan(parsed(REDIRECTS), "local")
    (node,) = (node for node in made.nodes if "web" in node.roles)
    with upstreams.running(stacks.secrets_of("local").certificate("test", (node.name,))) as upstream:
        place = proxy.Place(tmp_path_factory.mktemp("proxy"), {str(node.address): upstream.address})
        with (
            proxy.running(place, made),
            httpx.Client(base_url=f"https://127.0.0.1:{place.https}", verify=proxy.trust(made), timeout=20) as client,
        ):
            yield client


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("/about", 302, "/about/index.html"),
        ("/about?from=mail", 302, "/about/index.html"),
        ("/old/", 301, "https://www.example.org/new/?a=1#part"),
        ("/study/idr0001/image-1", 404, None),
        ("/study/idr0001/7", 302, "/webclient/?show=7&name=idr0001"),
        ("/study/idr1/7", 404, None),
        ("/webclient/userdata/", 302, "/about"),
        ("/abouts", 404, None),
    ],
)
def test_an_address_leads_where_the_stack_file_says(
    visitor: httpx.Client, path: str, status: int, target: str | None
) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    location = answer.headers.get("Location")
    assert (location.removeprefix(str(visitor.base_url).rstrip("/")) if location else None) == target


@pytest.mark.parametrize(
    ("redirect", "said"),
    [
        ({"from": "about", "to": "/x"}, "must be a path"),
        ({"from": '/a"; return 200; #', "to": "/x"}, "must be a path"),
        ({"from": "^/a b", "to": "/x"}, "must be a path"),
        ({"from": "^/(", "to": "/x"}, "is no regular expression"),
        ({"from": "/a", "to": "javascript:alert(1)"}, "must be a path or a URL"),
        ({"from": "/a", "to": "/$host"}, "must be a path or a URL"),
        ({"from": "/a", "to": "/x/$1"}, "'from' has no groups"),
        ({"from": "^/(a)", "to": "/x/$2"}, "'from' has 1 groups"),
        ({"from": "/a", "to": "/a"}, "leads to itself"),
    ],
)
def test_one_that_nginx_would_read_otherwise_is_refused(redirect: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        parsed([redirect])
    assert said in str(error.value)


def test_an_address_leads_to_one_place() -> None:
    with pytest.raises(SettingsError, match="/a leads to two places"):
        parsed([{"from": "/a", "to": "/b"}, {"from": "/a", "to": "/c"}])
