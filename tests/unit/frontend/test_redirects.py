"""Redirects of a stack file, by the real nginx, and those that the settings refuse."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness import proxy, stacks
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.settings import Settings
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import visiting

REDIRECTS: list[dict[str, Any]] = [
    {"from": "/about", "to": "/about/index.html"},
    {"from": "/old/", "to": "https://www.example.org/new/?a=1#part", "permanent": True},
    {"from": "^/study/(idr\\d{4})/(\\w+)$", "to": "/webclient/?show=$2&name=$1"},
    {"from": "^/webclient/userdata/?$", "to": "/about"},
    {"from": "/mito/webclient/?show=screen-1", "to": "/webclient/?show=screen-1101"},
    {"from": "^/search/\\?query=Name:(idr0)?158$", "to": "/about/download.html"},
    {"from": "^/mito(/|$)", "to": "/webclient/?show=screen-7"},
    {"from": "/gone?now=1", "to": "/about", "permanent": True},
]


def parsed(redirects: list[dict[str, Any]], **others: Any) -> Settings:
    values = stacks.values("local") | {"redirects": redirects, "hostName": "idr.example.org"} | others
    return parse(values, Source("local", "Pulumi.local.yaml"))


def is_accepted(redirects: list[dict[str, Any]], **others: Any) -> bool:
    """Return whether the settings have these redirects. Raises SettingsError if they are refused."""
    return [one.source for one in parsed(redirects, **others).redirects] == [one["from"] for one in redirects]


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    stack_plan = plan(parsed(REDIRECTS), "local")
    (node,) = (node for node in stack_plan.nodes if "web" in node.roles)
    with upstreams.running(stacks.secrets_of("local").certificate("test", (node.name,))) as upstream:
        nginx = proxy.Nginx(tmp_path_factory.mktemp("proxy"), {str(node.address): upstream.address})
        with visiting(nginx, stack_plan) as client:
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
        ("/ABOUT", 302, "/about/index.html"),
        ("/mito/webclient/?show=screen-1", 302, "/webclient/?show=screen-1101"),
        ("/mito/webclient/?show=screen-12", 302, "/webclient/?show=screen-7"),
        ("/mito", 302, "/webclient/?show=screen-7"),
        ("/search/?query=Name:idr0158", 302, "/about/download.html"),
        ("/search/?query=Name:158", 302, "/about/download.html"),
        ("/search/?query=Name:1580", 200, None),
        ("/gone?now=1", 301, "/about"),
        ("/gone?now=2", 404, None),
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
    ("redirect", "message"),
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
        ({"from": "/caf%C3%A9", "to": "/x"}, "must be a path"),
        ({"from": "/a//b", "to": "/x"}, "must be a path"),
        ({"from": "/a/*", "to": "/x"}, "paths without `%` and `*`"),
        ({"from": "/a/../b", "to": "/x"}, "has a part '.' or '..'"),
        ({"from": "/a?x=1", "to": "/a?x=1"}, "/a?x=1 leads to itself"),
        ({"from": "^/a\\?x=1", "to": "/a?x=12"}, "leads to itself"),
        ({"from": "/a?", "to": "/b"}, "must be a path"),
        ({"from": "/" + "a" * 300, "to": "/x"}, "must be a path"),
        ({"from": "/a", "to": "/" + "x" * 5000}, "must be a path or a URL"),
        ({"from": "^/\\u0041$", "to": "/x"}, "nginx may read '\\u' in another way"),
        ({"from": "^/a\\\\b$", "to": "/x"}, "nginx may read '\\\\' in another way"),
        ({"from": "^/(?P<study>\\d+)$", "to": "/$1"}, "nginx may read '(?P' in another way"),
        ({"from": "^/(?a:x)$", "to": "/y"}, "nginx may read '(?a' in another way"),
        ({"from": "^/x{,3}$", "to": "/y"}, "nginx may read '{,' in another way"),
        ({"from": "/a", "to": "https://www..example.org/"}, "must be a host name"),
        ({"from": "/a", "to": "https://www.example.org:99999/"}, "Port out of range"),
        ({"from": "^/about", "to": "/about/index.html"}, "^/about leads to itself"),
        ({"from": "/About", "to": "/about?x=1"}, "/About leads to itself"),
        ({"from": "/a-b", "to": "https://idr.example.org/a-b"}, "/a-b leads to itself"),
        ({"from": "/a-b", "to": "https://IDR.example.org:443/a-b"}, "/a-b leads to itself"),
        ({"from": "^/a/(.*)$", "to": "/a/$1"}, "^/a/(.*)$ leads to itself, for example from /a/"),
        ({"from": "^/a/(.*)$", "to": "/a/x/$1"}, "leads to itself, for example from /a/"),
        ({"from": "^/a/(b|c)/([A-Z]{3}-\\d+)$", "to": "/a/c/$2"}, "leads to itself, for example from /a/b/AAA-0"),
        ({"from": "^/a\\?x=(\\w+)$", "to": "/a?x=$1"}, "leads to itself, for example from /a?x=a"),
        ({"from": "^/(.+)$", "to": "https://idr.example.org/new/$1"}, "leads to itself, for example from /a"),
        ({"from": "^/a/((?=x).*)$", "to": "/a/$1"}, "looks ahead or behind, and leads to groups of it here"),
        ({"from": "^/a(?!b)(.*)$", "to": "https://idr.example.org/c/$1"}, "nobody can say whether that is a circle"),
        ({"from": "^/(.*)(?<=x)$", "to": "/a/$1"}, "Write it without (?=, (?!, (?<= and (?<!"),
        ({"from": "/a", "to": "//www.example.org/a"}, "is another site for a browser"),
        ({"from": "^/go/(.*)$", "to": "https://www.example.org$1"}, "write '/' after the host"),
        ({"from": "^/go/(.*)$", "to": "https://www$1.example.org/"}, "write '/' after the host"),
        ({"from": "^/go(/?.*)$", "to": "https://www.example.org$1"}, "write '/' after the host"),
        ({"from": "^/go(/.*|.*)$", "to": "https://www.example.org$1"}, "write '/' after the host"),
    ],
)
def test_one_that_nginx_would_read_otherwise_is_refused(redirect: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parsed([redirect])
    assert message in str(error.value)


def test_an_address_leads_to_one_location() -> None:
    with pytest.raises(SettingsError, match="/a leads to two places"):
        parsed([{"from": "/a", "to": "/b"}, {"from": "/a", "to": "/c"}])


@pytest.mark.parametrize(
    "redirects",
    [
        [{"from": "/a", "to": "/b"}, {"from": "/b", "to": "/c"}, {"from": "/c", "to": "/a"}],
        [{"from": "/a?x=1", "to": "/b"}, {"from": "/b", "to": "/a?x=1"}, {"from": "/a", "to": "/c"}],
        [{"from": "/a", "to": "/x/7"}, {"from": "^/x/(\\d+)$", "to": "/y/$1"}, {"from": "/y/7", "to": "/A"}],
        [{"from": "^/a/(.*)$", "to": "/b/$1"}, {"from": "^/b/(.*)$", "to": "/a/$1"}],
        [{"from": "^/a(\\d)$", "to": "/b/$1"}, {"from": "^/b/(.*)$", "to": "/c?x=$1"}, {"from": "/c?x=0", "to": "/a0"}],
        [{"from": f"/a{n}", "to": f"/a{(n + 1) % 30}"} for n in range(30)],
    ],
)
def test_those_that_lead_round_in_a_circle_are_refused(redirects: list[dict[str, Any]]) -> None:
    with pytest.raises(SettingsError, match=r"/a.* leads to itself"):
        parsed(redirects)


@pytest.mark.parametrize(
    "redirects",
    [
        [{"from": "^/a/(.*)$", "to": "/b/$1"}, {"from": "^/b/(.*)$", "to": "/c/$1"}],
        [{"from": "^/a/(\\d+)$", "to": "/a/study-$1"}],
        [{"from": "^/a/(.*)$", "to": "/$1"}],
        [{"from": "^/a/(.*)$", "to": "/a/b?$1"}, {"from": "/a/b", "to": "/c"}, {"from": "/a/a", "to": "/d"}],
        [{"from": "^/(.+)$", "to": "https://idr.example.org:8443/$1"}],
        [{"from": f"/a{n}", "to": f"/a{n + 1}"} for n in range(30)],
        [{"from": "^/(?!about/)(.*)$", "to": "https://www.example.org/$1"}],
        [{"from": "^/a(?!b)", "to": "/c"}],
    ],
)
def test_those_that_lead_somewhere_in_the_end_are_taken(redirects: list[dict[str, Any]]) -> None:
    assert is_accepted(redirects)


@pytest.mark.parametrize(
    "source",
    [
        "^/(a+)+$",
        "^/(a*)*$",
        "^/(\\w+-?)+$",
        "^/(aa?)+$",
        "^/(a|ab)+$",
        "^/((ab|a)*)x$",
        "^/(?:a{1,9}){9}$",
        "^/(.*)/(.*)x$",
        "^/(.*)/(.*)/(.*)$",
        "^/\\w*[a-z]{0,200}-",
        "^/(.+)/x(.+)y$",
        "^/[a-z]*[a-z]*$",
        "^/[a-z]*[a-z]*[0-9]+$",
        "^/(.*)(/.*)?x",
        "^/\\w*(/|x)\\w*-",
        "^/(\\w*)(/?)(?:(\\w*)?)-",
        "^/\\d*(x*\\d+y)?z",
        "^/a*(b*(-*a*|c))d",
        "^/[^/]*(.{0,200})?$",
        "^/a{0,9}[a-z]{0,9}a{0,9}x$",
        f"^/{'a?' * 30}$",
        f"^/{'(a|ab)' * 30}$",
    ],
)
def test_an_expression_that_an_address_could_keep_nginx_busy_with_is_refused(source: str) -> None:
    with pytest.raises(SettingsError) as error:
        parsed([{"from": source, "to": "/x"}])
    (message,) = str(error.value).splitlines()
    assert f"idr:redirects.0: from: {source} " in message
    assert "would keep the site busy for seconds" in message


@pytest.mark.parametrize(
    "source",
    [
        "^/study/(\\w+)/(\\w+)/([^/]+)/([0-9]+)$",
        "^/(.*)/(.*)$",
        "^/(.*)/([^/]*)\\.html$",
        "^/([0-9]+)(-[0-9]+)?/x$",
        "^/a/(.*)(/|$)",
        "^/(?:study|idr)?[0-9]{4}(/.*)?$",
        "^/(?:(?!x)[a-z])+/y$",
        "^/[0-9]{4}[0-9]*x$",
        "^/([a-z]+)-([0-9]{2,4})/([a-z]{1,9})-x?y?z?$",
    ],
)
def test_an_expression_that_is_answered_at_once_is_taken(source: str) -> None:
    assert is_accepted([{"from": source, "to": "/~"}])


@pytest.mark.parametrize(
    ("source", "target", "others"),
    [
        ("/webclient/", "/", {"web": {"apps": ["iviewer"]}}),
        ("^/webclient/\\?experimenter=-1$", "/", {"web": {}}),
        ("/webclient/?experimenter=-1", "/webclient/", {}),
    ],
)
def test_one_that_leads_back_by_the_proxys_first_page_is_refused(
    source: str, target: str, others: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError, match="leads to itself"):
        parsed([{"from": source, "to": target}], **others)


@pytest.mark.parametrize("others", [{"web": {"apps": ["gallery"]}}, {"web": {}, "visitors": "login"}])
def test_the_first_page_is_taken_for_what_it_is(others: dict[str, Any]) -> None:
    assert is_accepted([{"from": "/webclient/", "to": "/"}], **others)


def test_a_plain_address_counts_before_an_expression_and_a_permanent_one_before_others() -> None:
    permanent = {"from": "/b", "to": "/c", "permanent": True}
    assert is_accepted([{"from": "/a", "to": "/b"}, permanent, {"from": "^/b$", "to": "/a"}])


def test_one_with_arguments_counts_before_one_without() -> None:
    assert is_accepted([{"from": "/a", "to": "/b"}, {"from": "/b", "to": "/a?x=1"}, {"from": "/a?x=1", "to": "/c"}])


def test_a_group_may_follow_a_host() -> None:
    assert is_accepted([{"from": "^/old(/.*)?$", "to": "https://www.example.org$1"}])


def test_nginx_does_not_distinguish_capital_letters() -> None:
    with pytest.raises(SettingsError, match="/study leads to two places, as /Study does: capital letters do not count"):
        parsed([{"from": "/Study", "to": "/b"}, {"from": "/study", "to": "/c"}])
