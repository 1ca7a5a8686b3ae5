"""The proxy's answers with a site's own role: the example's page by its own nginx, and answers of another service."""

import getpass
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness import proxy, stacks
from harness.ports import free_port
from harness.rendered import files
from model import addresses
from tests import site_roles
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.clients import visiting

PLAN = site_roles.example_plan()
NODE = site_roles.example_node(PLAN)
SECRETS = stacks.secrets_of("local")
NAME = "about.demo1.idr.internal"
PEER = f"{NODE.address}:8443"
SESSION = {"Cookie": "sessionid_demo1=a-visitors"}


@dataclass(frozen=True)
class Before(proxy.Nginx):
    """A proxy in front of a service of the role on loopback."""

    about: str = ""

    def adapt(self, text: str) -> str:
        return super().adapt(text).replace(PEER, self.about or self.nothing)


def written(folder: Path, port: int) -> Path:
    """Write the example's own files on this machine; return the path of its nginx.conf."""
    for path, content in files(NODE, PLAN, SECRETS).items():
        if path.startswith(("/etc/about/", "/srv/about/")):
            file = folder / path.removeprefix("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            for old in ("/etc/about/", "/srv/about/", "/run/about-page/"):
                content = content.replace(old, f"{folder}{old}")
            file.write_text(content.replace(PEER, f"127.0.0.1:{port}"))
    (folder / "run" / "about-page").mkdir(parents=True)
    file = folder / "etc" / "about" / "nginx.conf"
    config = file.read_text()
    # Started by root, nginx serves as another account, which cannot read this folder.
    file.write_text(f"user {getpass.getuser()};\n{config}" if getpass.getuser() == "root" else config)
    return file


@contextmanager
def example(folder: Path) -> Iterator[str]:
    """Run the example's service, as its unit starts it; yields its address."""
    port = free_port()
    command = [proxy.NGINX, "-e", "stderr", "-c", str(written(folder, port))]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        proxy.wait_for(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[httpx.Client]:
    (tmp_path / "proxy").mkdir()
    with example(tmp_path / "about") as about, visiting(Before(tmp_path / "proxy", about=about), PLAN) as visitor:
        yield visitor


def test_a_visitor_sees_the_page_with_the_sites_own_headers(page: httpx.Client) -> None:
    answer = page.get("/about/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert "<h1>About demo.idr.internal</h1>" in answer.text
    for name in ("strict-transport-security", "content-security-policy", "x-content-type-options"):
        assert len(answer.headers.get_list(name)) == 1
    assert page.get("/about").headers["location"].endswith("/about/")


@pytest.mark.parametrize("path", ["/metrics", "/about/nothing", "/about.html", "/webadmin/", "/about/../webadmin/"])
def test_nothing_else_is_opened(page: httpx.Client, path: str) -> None:
    assert page.get(path).status_code == 404


def test_its_metrics_are_where_the_outputs_say(tmp_path: Path) -> None:
    with example(tmp_path) as about:
        trust = ssl.create_default_context(cadata=SECRETS.authority.certificate)
        trust.check_hostname = False
        answer = httpx.get(f"https://{about}/metrics", verify=trust)
    assert answer.text.startswith("# TYPE about_connections gauge\nabout_connections ")


@contextmanager
def service(folder: Path, name: str = NAME) -> Iterator[tuple[upstreams.Upstream, httpx.Client]]:
    """Run another service instead of the role's, with a certificate for `name`; yields a visitor."""
    with (
        upstreams.running(SECRETS.certificate("test", (name,))) as upstream,
        visiting(Before(folder, about=upstream.address), PLAN) as visitor,
    ):
        yield upstream, visitor


def test_cookies_pass_in_neither_direction(tmp_path: Path) -> None:
    with service(tmp_path) as (upstream, visitor):
        answer = visitor.get("/about/x?y=%2F", headers=SESSION)
        assert (answer.status_code, upstream.asked) == (200, {"/about/x?y=%2F": 1})
        assert "set-cookie" not in answer.headers
        (sent,) = upstream.headers
        assert "cookie" not in sent
        assert (sent["x-forwarded-for"], sent["x-forwarded-proto"]) == ("127.0.0.1", "https")


@pytest.mark.parametrize("query", ["callback=https://x.example.org/", "username=alice", "a=b&password=", "bsession=1"])
def test_a_role_has_arguments_of_its_own(tmp_path: Path, query: str) -> None:
    with service(tmp_path) as (upstream, visitor):
        assert visitor.get(f"/about/x?{query}").status_code == 200
        assert upstream.asked == {f"/about/x?{query}": 1}


def test_another_service_than_the_roles_is_not_believed(tmp_path: Path) -> None:
    with service(tmp_path, "other.demo1.idr.internal") as (upstream, visitor):
        assert visitor.get("/about/").status_code == 502
        assert not upstream.asked


def test_a_dead_service_shows_the_page_that_says_so_and_maintenance_its_own(tmp_path: Path) -> None:
    with visiting(Before(tmp_path), PLAN) as visitor:
        assert (visitor.get("/about/").status_code, visitor.get("/about/").headers["retry-after"]) == (502, "30")
        (tmp_path / "etc" / "maintenance").touch()
        assert visitor.get("/about/").status_code == 503


def test_without_tls_the_proxy_asks_in_plain_text(tmp_path: Path) -> None:
    given = site_roles.copied(tmp_path)
    without_tls = {"port": 8443, "tls": False}
    site_roles.change(tmp_path, locations=[{"path": "/about/", **without_tls}], metrics=without_tls)
    (tmp_path / "proxy").mkdir()
    with (
        upstreams.running() as upstream,
        visiting(Before(tmp_path / "proxy", about=upstream.address), site_roles.plan_of(given, tmp_path)) as visitor,
    ):
        assert visitor.get("/about/").text == "answer"


def test_nginx_accepts_several_locations_and_nodes_without_a_warning(tmp_path: Path) -> None:
    given = site_roles.copied(tmp_path)
    paths = ["/about/", "/site-search/v1.0/", "/s/"]
    site_roles.change(tmp_path, locations=[{"path": path, "port": 8443} for path in paths])
    given["releases"]["demo1"]["nodes"]["about"]["count"] = 3
    nginx = proxy.Nginx(tmp_path / "proxy")
    nginx.folder.mkdir()
    done = proxy.check_configuration(nginx.write(proxy.rendered(site_roles.plan_of(given, tmp_path))))
    assert (done.returncode, done.stderr) == (0, "")
    upstream = (nginx.folder / "etc" / "conf.d" / "upstreams.conf").read_text()
    assert upstream.count("server 10.130.1.6") == len(paths) * 3


def test_every_location_of_the_proxy_is_known_as_taken() -> None:
    text = proxy.rendered(stacks.plan_of("local"))["/etc/nginx/conf.d/site.conf"]
    lines = [line.split() for line in text.splitlines() if line.strip().startswith("location ")]
    paths = [path.removeprefix("^") for *_, path, _ in lines if path.removeprefix("^").startswith("/")]
    named = {path for path in paths if path != "/" and not path.startswith("/.")}
    assert {"/connection/omero-client.json", "/omero-ws"} <= named
    assert [path for path in named if addresses.hidden_by(f"{path}/") is None] == []
