"""The image region service of examples/image-region: its own steps and units on loopback, and a stand-in service."""

import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from harness import stacks
from harness.rendered import files
from model.firewall import Rule
from model.roles import Role
from tests import image_region
from tests.image_region import NAME, ROLE, Machine, nodes_of, plan_of
from tests.waiting import wait_until

REGION = "/webgateway/render_image_region/1/0/0/?c=1&tile=0,0,0"
pytestmark = pytest.mark.needs("haproxy", "unzip")


@pytest.fixture
def machine() -> Iterator[Machine]:
    # The path of HAProxy's socket has at most 97 characters, and pytest's own folders are longer in a worker.
    with tempfile.TemporaryDirectory() as folder:
        yield Machine(Path(folder))


@pytest.fixture
def service(machine: Machine) -> Iterator[tuple[Machine, httpx.Client]]:
    """Run the role and the release's proxy."""
    machine.prepared()
    trust = ssl.create_default_context(cadata=stacks.secrets_of("idr").authority.certificate)
    trust.check_hostname = False
    with machine.serving(), httpx.Client(base_url=f"https://127.0.0.1:{machine.tls}", verify=trust) as proxy:
        yield machine, proxy


def test_who_has_no_session_gets_the_pictures_of_the_public_user(service: tuple[Machine, httpx.Client]) -> None:
    machine, proxy = service
    (key,) = machine.sessions.read_text().split()
    assert (proxy.get(REGION).status_code, proxy.get(REGION).text) == (200, f"picture of 1 for {key}")
    assert proxy.get("/metrics").text.startswith("jvm_")


def test_no_session_of_a_visitors_counts(service: tuple[Machine, httpx.Client]) -> None:
    machine, proxy = service
    (key,) = machine.sessions.read_text().split()
    with machine.sessions.open("a") as file:
        file.write("an-administrators\n")
    sent = {"X-OMERO-Session-Key": "an-administrators", "Cookie": "sessionid=an-administrators"}
    assert proxy.get(f"{REGION}&bsession=an-administrators", headers=sent).text == f"picture of 1 for {key}"


def test_a_session_that_omero_has_lost_is_followed_by_another(service: tuple[Machine, httpx.Client]) -> None:
    machine, proxy = service
    (before,) = machine.sessions.read_text().split()
    machine.sessions.write_text("")
    assert proxy.get(REGION).status_code == 403
    machine.wait_until_healthy()
    (key,) = machine.sessions.read_text().split()
    assert key != before
    assert proxy.get(REGION).text == f"picture of 1 for {key}"


def test_a_haproxy_that_starts_again_knows_the_session(machine: Machine) -> None:
    machine.prepared()
    with machine.running(f"{NAME}-session"):
        wait_until(machine.sessions.read_text, 10)
    # The program that publishes sessions has ended.
    with machine.running(f"{NAME}-tls"), machine.running(NAME):
        machine.wait_until_healthy()


def test_without_a_session_nobody_is_answered_and_health_says_where_to_look(machine: Machine) -> None:
    machine.prepared()
    machine.write("/etc/image-region/public-password", "another\n")
    log = machine.folder / f"{NAME}-session.log"
    with machine.running(f"{NAME}-tls"), machine.running(NAME), machine.running(f"{NAME}-session"):
        wait_until(
            lambda: machine.step("health").stdout.startswith("no session of the public user: see journalctl"), 20
        )
        wait_until(lambda: "no session: Password check failed" in log.read_text(), 20, state=log.read_text)


def test_an_archive_with_another_sum_is_not_unpacked_and_the_one_in_use_stays(machine: Machine) -> None:
    machine.prepared()
    before = (machine.folder / "opt/image-region/service").readlink()
    machine.name_archive("0" * 64)
    done = machine.step("prepare")
    assert done.returncode != 0
    assert f"says {'0' * 64}; not unpacked" in done.stderr
    assert (machine.folder / "opt/image-region/service").readlink() == before
    assert (before / "bin/omero-ms-image-region").is_file()


def test_another_archive_is_unpacked_beside_and_the_way_back_is_a_link(machine: Machine) -> None:
    machine.prepared()
    link = machine.folder / "opt/image-region/service"
    before, first = link.readlink(), machine.archive.read_bytes()
    machine.asked_of_systemd()
    # Nothing has changed: nothing starts again.
    machine.prepared()
    assert f"restart {NAME}" not in machine.asked_of_systemd()
    machine.archive.write_bytes(first + b"\0")
    machine.name_archive()
    assert machine.step("prepare").returncode == 0
    assert link.readlink() == before
    assert machine.step("activate").returncode == 0
    assert (link.readlink() != before, before.is_dir()) == (True, True)
    assert f"restart {NAME}" in machine.asked_of_systemd()
    machine.archive.write_bytes(first)
    machine.name_archive()
    machine.prepared()
    assert link.readlink() == before


def test_what_is_no_build_of_the_service_is_found_before_the_one_in_use_is_touched(machine: Machine) -> None:
    image_region.pack(machine.archive, "something-else")
    machine.name_archive()
    assert machine.step("prepare").returncode == 0
    done = machine.step("check")
    assert (done.returncode, done.stdout) == (
        1,
        "the archive has no bin/omero-ms-image-region: it is no build of the service\n",
    )


def test_without_omero_server_beside_it_the_role_says_so(machine: Machine) -> None:
    (machine.folder / "opt/omero/server").rmdir()
    done = machine.step("prepare")
    assert (done.returncode, done.stdout.startswith("the image region service needs OMERO.server beside it")) == (
        1,
        True,
    )


def test_its_files_have_what_the_service_reads() -> None:
    plan = plan_of()
    for node in nodes_of(plan):
        texts = files(node, plan, stacks.secrets_of("idr"))
        config = yaml.safe_load(texts["/etc/image-region/conf/config.yaml"])
        assert config["omero"] == {"host": str(node.address), "port": 4064}
        database = config["omero.server"]
        assert (database["omero.db.user"], database["omero.db.host"]) == ("omeroreadonly", "192.168.130.20")
        assert "sslmode=verify-full" in database["omero.db.properties"]
        assert database["omero.db.pass"] not in config["session-store"]["uri"]
        # A few connections beside OMERO's pools fit into those that the database has left.
        assert int(database["omero.db.poolsize"]) * 4 < 25
        assert texts["/etc/image-region/public-password"].strip() == plan.settings.public_password


def test_the_proxy_alone_reaches_it() -> None:
    plan = plan_of()
    assert len(nodes_of(plan)) == 2

    def named(rule: Rule) -> bool:
        return NAME in rule.group and rule.direction == "ingress"

    rules = {(rule.port, rule.remote_group) for scope in plan.scopes for rule in scope.rules if named(rule)}
    assert rules == {(8082, "prod130-proxy"), (8082, "prod130-management")}


def test_the_proxy_asks_it_first() -> None:
    plan = plan_of()
    proxy = plan.releases[0].with_role(Role.PROXY)[0]
    texts = files(proxy, plan, stacks.secrets_of("idr"))
    assert "location ^~ /webgateway/render_image_region/ {" in texts["/etc/nginx/conf.d/omeroweb.conf"]
    assert "upstream image-region_first_8082 {" in texts["/etc/nginx/conf.d/upstreams.conf"]


def test_its_scripts_are_valid() -> None:
    scripts = [str(script) for script in (ROLE / "scripts").iterdir()]
    done = subprocess.run(["shellcheck", "-x", *scripts], cwd=stacks.ROOT, capture_output=True, text=True, check=False)
    assert (len(scripts) > 5, done.returncode, done.stdout) == (True, 0, "")
