"""What a site adds to its public addresses, by the real nginx, and what the settings refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import proxy, stacks
from model.plan import Plan
from model.planning import plan
from model.public_site import OF_THE_ANSWER, OWNED, is_one_of
from model.reading import SettingsError, Source, parse
from tests.unit.frontend import clients
from tests.unit.frontend import upstream as upstreams

URL = "https://www.example.org/site-1.0.tar.gz"
SNIPPET = """\
# Where finders of faults write to.
location = /.well-known/security.txt {
    default_type text/plain;
    return 200 "Contact: mailto:security@example.org\\n";
}
location ^~ /jupyter/ {
    include /etc/nginx/snippets/headers.conf;
    add_header X-Notebook "yes; {really}";
    return 302 /about/analysis.html#${request_method};
}
"""
ROBOTS = "User-agent: *\nDisallow: /webclient/*.php$\n"
SITE: dict[str, Any] = {
    "name": "Institute images",
    "contact": "images@example.org",
    "pages": {"url": URL, "sha256": "0" * 64},
    "robots": ROBOTS,
    "headers": {"X-Robots-Tag": "noarchive", "NEL": '{"report_to": "a\\b"}'},
    "locations": "site/nginx",
}
CLOSED = [
    *("/django_prometheus", "/django_prometheus/", "/django_prometheus/metrics", "/metrics", "/nginx_status"),
    *("/prometheus/federate", "/grafana/", "/server-status", "/stub_status", "/.git/config", "/admin/"),
]


def parsed(folder: Path, **site: Any) -> Any:
    values = stacks.values("local") | {"site": site}
    return parse(values, Source("local", "Pulumi.local.yaml", folder=folder))


def written(folder: Path, **files: str) -> Path:
    """Write a checkout with files of locations in site/nginx."""
    (folder / "site" / "nginx").mkdir(parents=True)
    for name, text in files.items():
        (folder / "site" / "nginx" / f"{name}.nginx").write_text(text)
    return folder


@contextmanager
def visiting(folder: Path, stack_plan: Plan) -> Iterator[httpx.Client]:
    """Return a visitor of the plan's proxy, in front of this test's OMERO.web."""
    (node,) = (node for node in stack_plan.nodes if "web" in node.roles)
    with upstreams.running(stacks.secrets_of("local").certificate("test", (node.name,))) as upstream:
        # A browser must see only the site's own header.
        upstream.more_headers = {"X-Robots-Tag": "all"}
        nginx = proxy.Nginx(folder, {str(node.address): upstream.address})
        pages = folder / "srv" / "idr-pages" / "current"
        (pages / "img").mkdir(parents=True)
        (pages / "index.html").write_text("<h1>About us</h1>")
        (pages / "long.html").write_text("<p>About us</p>" * 1000)
        (pages / "img" / "logo.svg").write_text("<svg/>")
        (pages.parent / "beside.html").write_text("not for visitors")
        with clients.visiting(nginx, stack_plan) as client:
            yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def visitor(folder: Path) -> Iterator[httpx.Client]:
    settings = parsed(written(folder / "checkout", own=SNIPPET), **SITE)
    (folder / "proxy").mkdir()
    with visiting(folder / "proxy", plan(settings, "local")) as client:
        yield client


def test_the_static_pages_are_below_their_path(visitor: httpx.Client) -> None:
    answer = visitor.get("/about/")
    assert (answer.text, answer.headers["content-type"]) == ("<h1>About us</h1>", "text/html")
    assert answer.headers.get_list("cache-control") == ["public, max-age=300"]
    assert visitor.get("/about/img/logo.svg").headers["content-type"] == "image/svg+xml"
    assert visitor.get("/about/long.html").headers["content-encoding"] == "gzip"
    assert visitor.get("/about").headers["location"].endswith("/about/")
    # The scripts of an archive run where they are, not as callbacks of the program.
    assert visitor.get("/about/?callback=https://x.example.org/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/about/../webadmin/", "/about../beside.html", "/about/%2e%2e/beside.html", "/about/nothing.html"],
)
def test_no_path_leads_out_of_them(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code in {400, 404}


def test_other_methods_than_reading_are_refused(visitor: httpx.Client) -> None:
    assert [visitor.request(method, "/about/").status_code for method in ("POST", "PUT", "DELETE")] == [405] * 3


def test_robots_txt_is_the_sites_text(visitor: httpx.Client) -> None:
    answer = visitor.get("/robots.txt")
    assert (answer.text, answer.headers["content-type"]) == (ROBOTS, "text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/about/",
        "/webclient/?experimenter=-1",
        "/api/v0/",
        "/robots.txt",
        "/nothing/",
        "/jupyter/",
    ],
)
def test_every_answer_has_the_sites_headers_beside_the_programs(visitor: httpx.Client, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers.get_list("x-robots-tag") == ["noarchive"]
    assert headers.get_list("nel") == ['{"report_to": "a\\b"}']
    for name in ("strict-transport-security", "content-security-policy", "x-content-type-options", "referrer-policy"):
        assert len(headers.get_list(name)) == 1, name


def test_locations_of_the_site_answer(visitor: httpx.Client) -> None:
    assert visitor.get("/.well-known/security.txt").text == "Contact: mailto:security@example.org\n"
    answer = visitor.get("/jupyter/lab")
    assert answer.headers["location"].endswith("/about/analysis.html#GET")
    assert answer.headers["x-notebook"] == "yes; {really}"


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_else_is_opened(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_pages_of_nginx_itself_have_the_sites_words(visitor: httpx.Client, folder: Path) -> None:
    flag = folder / "proxy" / "etc" / "maintenance"
    flag.touch()
    try:
        page, answer = visitor.get("/webclient/"), visitor.get("/api/v0/")
    finally:
        flag.unlink()
    assert page.status_code == answer.status_code == 503
    assert "<title>Institute images: maintenance</title>" in page.text
    assert "<h1>Institute images is under maintenance</h1>" in page.text
    assert '<a href="mailto:images@example.org">images@example.org</a>' in page.text
    assert answer.json() == {"message": "Institute images is under maintenance"}


def test_without_them_nothing_of_it_is_there(tmp_path: Path) -> None:
    with visiting(tmp_path, stacks.plan_of("local")) as visitor:
        assert [visitor.get(path).status_code for path in ("/about/", "/about", "/robots.txt")] == [404] * 3
        (tmp_path / "etc" / "maintenance").touch()
        page = visitor.get("/webclient/").text
    assert "<title>Image Data Resource: maintenance</title>" in page
    assert "mailto" not in page


def test_every_header_that_the_proxy_sets_is_its_own(tmp_path: Path) -> None:
    stack_plan = plan(parsed(written(tmp_path, own=SNIPPET), **SITE), "local")
    text = "\n".join(text for path, text in proxy.rendered(stack_plan).items() if "/site/" not in path)
    words = [line.split() for line in text.splitlines()]
    names = {line[1] for line in words if line[:1] == ["add_header"]} - set(SITE["headers"])
    assert {"Content-Security-Policy", "Access-Control-Allow-Origin"} <= names
    assert [name for name in names if not is_one_of(name, (*OWNED, *OF_THE_ANSWER))] == []


def test_the_order_in_which_headers_are_written_makes_no_other_bytes(tmp_path: Path) -> None:
    """The engine passes settings sorted, `idr` as they are written."""
    written_so = {"headers": {"X-B": "2", "X-a": "1", "NEL": "0"}}
    sorted_so = {"headers": dict(sorted(written_so["headers"].items()))}
    assert [*written_so["headers"]] != [*sorted_so["headers"]]
    first, second = (proxy.rendered(plan(parsed(tmp_path, **site), "local")) for site in (written_so, sorted_so))
    assert first == second
    assert 'add_header X-a "1" always;' in first["/etc/nginx/snippets/headers.conf"]


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"headers": {"Content-Security-Policy": "default-src *"}}, "is the program's own"),
        ({"headers": {"x-frame-options": "ALLOW"}}, "is the program's own"),
        ({"headers": {"Set-Cookie": "a=b"}}, "is not the same for every answer"),
        ({"headers": {"Content-Type": "text/html"}}, "is not the same for every answer"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers: x-a and X-A are one header"),
        ({"headers": {"X-A": "$host"}}, "must be one line of ASCII without `$`"),
        ({"headers": {"X-A": "a\nX-B: c"}}, "must be one line of ASCII"),
        ({"headers": {"X-A;": "1"}}, "must be the name of a header"),
        ({"name": 'A"; return 200; #'}, "must be a name"),
        ({"name": "<b>us</b>"}, "must be a name"),
        ({"contact": 'us@example.org"><script>'}, "must be an address"),
        ({"robots": "a\0b"}, "NUL"),
        ({"robots": "site/robots.txt"}, "robots: is the text itself, not the name of a file"),
        ({"pages": {"url": "https://www.example.org/site.zip"}}, "must be an archive whose name ends in"),
        ({"pages": {"url": URL, "path": "/about"}}, "must be a path that ends in a slash"),
        ({"pages": {"url": URL, "path": "/webclient/about/"}}, "would hide /webclient"),
        ({"pages": {"url": URL, "path": "/a/../b/"}}, "has a part '.' or '..'"),
        ({"pages": {"url": URL, "path": "/"}}, "must be a path that ends in a slash"),
        ({"pages": {"url": "https://www.example.org:8443/site.tar.gz"}}, "site.pages.url: nodes may fetch from ports"),
    ],
)
def test_what_nginx_or_browsers_would_read_otherwise_is_refused(tmp_path: Path, site: Any, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parsed(tmp_path, **site)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no location in it"),
        ("root /etc;", "root: must be in a location"),
        ("location /a/ { return 200; } error_page 404 /x;", "error_page: must be in a location"),
        ("location / { return 200; }", "must be a path, as in"),
        ("location ~ ^/a { return 200; }", "must be a path, as in"),
        ("location @kept { return 200; }", "must be a path, as in"),
        ("location ^~ /webclient/ { return 200; }", "would hide /webclient"),
        ("location /omero-ws/ { return 200; }", "would hide /omero-ws"),
        ("location = /.jsonp/begin { return 200; }", "would hide /.jsonp"),
        ("location /a/ { include /etc/passwd; }", "include: a review would not see that file"),
        ("location /a/ { add_header X-A 1; }", "takes the headers of the site away in its block"),
        ("location /a/ { return 200; ", "ends before a ';' or a '}'"),
        ("location /a/ { return 200; } }", "nginx expects no '}' there"),
        ("location /a/ { return 200 }", "nginx expects no '}' after 'return 200'"),
        ('location /a/ { return 200 "; }', "line 1: nginx cannot read it"),
        ("location /robots.txt { return 200; } location = /robots.txt { return 200; }", "overlap: change one of them"),
    ],
)
def test_locations_that_would_change_more_than_their_own_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parsed(written(tmp_path, own=text), locations="site/nginx")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("site/none", "there is no folder 'site/none' beside the stack file"),
        ("../site", "must be a folder of the checkout"),
        ("docs/nginx", "cannot be in docs/"),
        ("site", "site/nginx: must be named with lower-case letters"),
        ("site/nginx", "'site/nginx' has no file in it"),
    ],
)
def test_a_folder_that_is_none_is_refused(tmp_path: Path, folder: str, message: str) -> None:
    written(tmp_path)
    with pytest.raises(SettingsError) as error:
        parsed(tmp_path, locations=folder)
    assert message in str(error.value)


def test_nginx_names_the_file_that_it_does_not_accept(tmp_path: Path) -> None:
    text = "location = /a {\n    return_nothing;\n}\n"
    stack_plan = plan(parsed(written(tmp_path / "checkout", own=text), locations="site/nginx"), "local")
    (tmp_path / "proxy").mkdir()
    done = proxy.check_configuration(proxy.Nginx(tmp_path / "proxy").write(proxy.rendered(stack_plan)))
    assert done.returncode == 1
    assert f'unknown directive "return_nothing" in {tmp_path}/proxy/etc/site/own.conf:2' in done.stderr


def test_two_parts_of_a_site_do_not_answer_one_address(tmp_path: Path) -> None:
    given = written(tmp_path, own="location = /about/team.html { return 204; }")
    with pytest.raises(SettingsError, match=r"site/nginx/own.nginx: /about/team.html and /about/ \(site.pages.path\)"):
        parsed(given, locations="site/nginx", pages={"url": URL})
