"""The demo IDR on the local OpenStack, seen from outside and on its machines."""

import json
import re
import subprocess

import httpx
import pytest

from harness import stacks
from harness.cloud.service import REDIS, Service
from harness.stacks import ROOT
from model.disks import virtio_link
from tests.cloud import scan

pytestmark = pytest.mark.cloud

WELL_KNOWN = range(1, 1024)
COOKIE = "sessionid_demo1"


def test_the_web_page_comes_over_http2_and_verified_tls(visitor: httpx.Client) -> None:
    page = visitor.get("webclient/")
    assert page.status_code == 200
    assert page.http_version == "HTTP/2"
    assert "OMERO" in page.text


def test_plain_http_leads_to_https(service: Service) -> None:
    answer = httpx.get(f"http://{service.address('omero')}/webclient/", follow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{service.address('omero')}/webclient/")


def test_a_thumbnail_is_a_real_jpeg(visitor: httpx.Client) -> None:
    answer = visitor.get("webgateway/render_thumbnail/1/")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")
    assert answer.content.rstrip(b"\0").endswith(b"\xff\xd9")


def test_a_plate_has_384_images_with_different_thumbnails(visitor: httpx.Client) -> None:
    grid = visitor.get("webgateway/plate/1/0/").json()["grid"]
    images = [well["id"] for row in grid for well in row if well]
    assert len(set(images)) == 384
    assert len({visitor.get(f"webgateway/render_thumbnail/{number}/").content for number in images[:12]}) == 12


def test_a_visitors_session_is_in_redis_and_nowhere_else(service: Service, visitor: httpx.Client) -> None:
    visitor.get("webclient/")
    session = visitor.cookies[COOKIE]
    redis = service.node("redis")
    key = service.on(redis, REDIS.format(f'--scan --pattern "*{session}"'))
    assert session in key
    # A pickle would run code of anybody who can write there.
    assert isinstance(json.loads(service.on(redis, REDIS.format(f"get {key}"))), dict)
    for node in service.nodes:
        if node != redis:
            assert service.on(node, "pgrep -c redis-server || true") == "0"
            keys = service.try_on(
                node, f"sudo grep -rls {session} /opt/omero /var/lib /tmp /var/tmp --exclude-dir=journal"
            )
            assert keys.stdout == "", node


def test_the_database_is_on_its_cinder_volume(service: Service) -> None:
    node = service.node("database")
    source = service.on(node, "findmnt -no SOURCE --target $(sudo -u postgres psql -tAc 'show data_directory')")
    volume = service.on(node, "grep -v '^#' /etc/idr/volumes").split()[0]
    assert service.on(node, f"readlink -f {source}") == service.on(node, f"readlink -f {virtio_link(volume)}")


LOGIN = (
    "PGPASSWORD=$(sudo cat /etc/idr/omero/database-password) PGCONNECT_TIMEOUT=5 "
    "psql 'host={} user=omero dbname=idr sslmode=verify-full sslrootcert=/etc/idr/ca.crt' -tAc 'select 1'"
)


def refused_twice(service: Service, node: str, address: str, port: int) -> bool:
    """Return whether a node's own firewall refuses a connection, and the security groups behind it drop it."""
    connect = f"timeout 5 bash -c '</dev/tcp/{address}/{port}'"
    opened = f"sudo nft insert rule inet idr output tcp dport {port} accept"
    by_itself = service.try_on(node, connect).returncode
    behind = service.try_on(node, f"{opened}; {connect}; s=$?; sudo nft --file /etc/nftables.conf; exit $s").returncode
    return (by_itself, behind) == (1, 124)


def test_the_database_accepts_the_omero_node_and_not_the_proxy(service: Service) -> None:
    address = service.outputs["inventory"]["_meta"]["hostvars"][service.node("database")]["ansible_host"]
    assert service.on(service.node("omeroreadwrite"), LOGIN.format(address)) == "1"
    assert refused_twice(service, service.node("proxy"), address, 5432)


def test_redis_is_reached_by_web_nodes_only(service: Service) -> None:
    address = service.outputs["inventory"]["_meta"]["hostvars"][service.node("redis")]["ansible_host"]
    connect = f"timeout 5 bash -c '</dev/tcp/{address}/6379'"
    assert service.try_on(service.node("omeroreadwrite"), connect).returncode == 0
    assert refused_twice(service, service.node("proxy"), address, 6379)


@pytest.mark.parametrize("endpoint", scan.OPEN)
def test_no_other_port_is_open_to_the_outside(service: Service, endpoint: str) -> None:
    listening = {port for node in stacks.plan_of("local").nodes for port in node.listens}
    expected = scan.OPEN[endpoint]
    assert scan.open_ports(service.address(endpoint), {*WELL_KNOWN, *listening}, expected) == expected


def test_a_request_of_any_size_reaches_the_next_node(service: Service) -> None:
    """Packets between the network's MTU and the guest's vanished: some sizes hung for a minute, all others worked."""
    web = service.outputs["inventory"]["_meta"]["hostvars"][service.node("omeroreadwrite")]["ansible_host"]
    sizes = "for n in $(seq 1100 1400); do printf 'X: %0*d' $n 0 > /tmp/header; "
    ask = f"curl -sk -o /dev/null -m 10 -H @/tmp/header https://{web}:4080/static/ || echo $n; done; rm /tmp/header"
    assert service.on(service.node("proxy"), sizes + ask) == ""


def test_every_node_says_that_it_is_healthy(service: Service) -> None:
    for node in service.nodes:
        status = json.loads(service.on(node, "sudo idr-apply --status"))
        assert status["node"] == node
        assert all(status["healthy"].values()), status


def test_every_node_tells_prometheus_that_its_roles_are_healthy(service: Service) -> None:
    """idr-heal runs the same tests, with fewer rights than idr-apply."""
    read = "grep ^idr_role_healthy /var/lib/prometheus/node-exporter/idr-heal.prom"
    # idr-heal may still report a fault of an earlier test.
    calm = f"for _ in $(seq 20); do {read} | grep -q ' 0$' || break; sleep 5; done; {read}"
    for node in service.nodes:
        lines = service.on(node, calm).splitlines()
        assert 'idr_role_healthy{role="common"} 1' in lines
        assert all(line.endswith(" 1") for line in lines), f"{node}: {lines}"


def test_ssh_accepts_keys_only(service: Service) -> None:
    command = ["ssh", "-o", "PreferredAuthentications=none", "-o", "StrictHostKeyChecking=no"]
    command += ["-o", "UserKnownHostsFile=/dev/null", f"root@{service.address('bastion')}", "true"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert re.search(r"Permission denied \(publickey\)", done.stderr)


def test_a_second_up_changes_nothing(service: Service) -> None:
    assert service.outputs
    done = subprocess.run(
        ["pulumi", "up", "--stack", "local", "--yes", "--skip-preview", "--expect-no-changes"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
