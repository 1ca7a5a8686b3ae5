"""Settings that name what does not exist, use what is taken, or make no sense: each kind with several cases."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from harness import stacks
from model.field_types import SEALED
from tests.unit.model.mistakes import (
    CERTIFIED,
    GOOD_KEY,
    HOST,
    Values,
    accepted,
    given_with,
    mistakes,
    node,
    only,
    release,
)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://me:hunter2@example.org/file.zip", "cannot hold a user or password"),
        ("https://me@example.org/file.zip", "cannot hold a user or password"),
        ("https://example.org/", "must end with the file's name"),
        ("https://example.org/folder/", "must end with the file's name"),
        ("https://example.org/file.whl?download=1", "must end with the file's name"),
        ("https://example.org/file.whl#sha256=0", "must end with the file's name"),
        ("https://example.org:0/file.zip", "must name a port from 1 to 65535"),
    ],
)
def test_a_download_is_a_file_that_anybody_may_fetch(url: str, reason: str) -> None:
    message = only(lambda v: v["omero"].update(server={"url": url}))
    assert message.startswith(f"idr:omero.server.url: {reason}")


@pytest.mark.parametrize("url", ["http://p:0", "http://p:3128/path", "http://p:3128/?x=1", "http://p:3128#x"])
def test_a_proxy_is_a_host_and_a_port(url: str) -> None:
    assert "must " in given_with(proxies={"http": url})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exceptions": ["a.example.org"]}, "exceptions: is for `http`, which is not set"),
        (
            {"exceptions": ["a.example.org"], "packages": "http://p:3128"},
            "exceptions: is for `http`, which is not set",
        ),
        ({"network": "192.0.2.0/24"}, "network: is for a proxy with a name, and there is none"),
        (
            {"network": "192.0.2.0/24", "http": "http://192.0.2.9:3128"},
            "network: is for a proxy with a name, and there is none",
        ),
    ],
)
def test_a_setting_of_a_proxy_that_is_not_there_is_named(change: Values, message: str) -> None:
    assert given_with(proxies=change) == f"idr:proxies: {message}"
    named = {"http": "http://proxy.example.org:3128"}
    accepted(proxies={key: value for key, value in change.items() if key != "packages"} | named)
    accepted(proxies={**change, "http": SEALED})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("redis", {"heapMib": 512}, "heapMib: this node has no OMERO.server"),
        ("redis", {"webWorkers": 2}, "webWorkers: this node has no OMERO.web"),
        ("proxy", {"antiAffinity": "hard"}, "antiAffinity: one node has none to be apart from; set count"),
    ],
)
def test_a_setting_of_what_a_node_does_not_have_is_named(name: str, change: Values, message: str) -> None:
    assert only(lambda v: node(v, name).update(change)) == f"idr:releases.demo1.nodes.{name}: {message}"


OFFICIAL = stacks.values("ebi")["omero"]
FAR = {"url": "http://files.example.org:8081/Ice.tar.gz"}


def test_what_is_fetched_is_at_a_port_that_is_open() -> None:
    from_there = {"omero": {**OFFICIAL, "ice": FAR}}
    message = "idr: omero.ice.url: nodes may fetch from ports 80 and 443, not from 8081: add a flow that opens it"
    assert given_with(**from_there) == message
    authority = {"hostName": HOST, "acme": {"directory": "https://acme.example.org:14000/dir"}}
    assert "acme.directory: nodes may fetch from ports 80 and 443, not from 14000" in given_with(**authority)
    opening = {"from": "node", "to": "192.0.2.8/32", "ports": [8081, 14000], "why": "files of the site"}
    accepted(**from_there, **authority, flows=[opening])
    accepted(**from_there, **authority, proxies={"http": "http://proxy.example.org:3128"})
    # No node of the demo fetches anything.
    accepted(omero={"distribution": "demo", "ice": FAR})


@pytest.mark.parametrize(
    ("key", "value", "port"),
    [
        ("omero.ldap.urls", "ldap://ldap.example.org", 389),
        ("omero.ldap.urls", "ldaps://ldap.example.org", 636),
        ("omero.ldap.urls", "ldap://a.example.org:3890,ldaps://b.example.org:6360", 6360),
        ("omero.mail.host", "mail.example.org", 25),
    ],
)
def test_omero_reaches_the_services_that_its_configuration_names(key: str, value: str, port: int) -> None:
    named = {"omero": {**OFFICIAL, "config": {key: value}}}
    lines = mistakes(lambda v: v.update(named), CERTIFIED)
    assert (
        f"Pulumi.local.yaml: idr: omero.config: {key} is at port {port}, which no flow opens; add one to flows" in lines
    )
    opening = {"from": "omero-readwrite", "to": "192.0.2.8/32", "ports": [3890, port], "why": "accounts of the site"}
    accepted(**named, flows=[opening])


def test_a_service_at_another_port_is_looked_for_there() -> None:
    config = {"omero.mail.host": "mail.example.org", "omero.mail.port": 587}
    message = given_with(web={"config": config})
    assert message == "idr: web.config: omero.mail.host is at port 587, which no flow opens; add one to flows"
    accepted(web={"config": {"omero.mail.host": SEALED, "omero.mail.port": SEALED}})


def test_the_keys_of_a_cache_fit_into_the_proxys_memory() -> None:
    message = only(lambda v: node(v, "proxy").update(volumes={"nginxcache": {"sizeGib": 5000}}))
    assert message.startswith("idr: releases.demo1.nodes.proxy: the keys of its cache take ")
    assert "its flavor 'local.small' has 768 beside what its other services take; choose a smaller volume" in message


@pytest.mark.parametrize("email", ["-o@example.org", "a@b..c", "a@-b"])
def test_an_address_for_mail_is_one(email: str) -> None:
    assert "idr:acme.email: must be " in given_with(hostName=HOST, acme={"email": email})


def test_an_authority_signs_no_address() -> None:
    assert "acme: an authority signs names" in given_with(hostName="192.0.2.7", acme={})


@pytest.mark.parametrize("host", ["idr", "idr.internal", "idr.local", "idr.example", "idr.home"])
def test_lets_encrypt_signs_no_name_of_a_private_network(host: str) -> None:
    assert given_with(hostName=host, acme={}) == (
        f"idr: acme: this authority signs names of public DNS, not {host}: name another directory"
    )
    accepted(hostName=host, acme={"directory": "https://acme.example.org/directory"})
    accepted(hostName=f"{host}.example.org", acme={})


@pytest.mark.parametrize(
    ("setting", "one"),
    [
        ("dnsServers", "192.0.2.1"),
        ("timeServers", "ntp.example.org"),
        ("sshFrom", "192.0.2.0/24"),
        ("omeroFrom", "192.0.2.0/24"),
        ("operators", f"ssh-ed25519 {GOOD_KEY}"),
    ],
)
def test_a_list_names_nothing_twice(setting: str, one: str) -> None:
    assert given_with(**{setting: [one, one]}) == f"idr:{setting}: entries 0 and 1 are the same"
    accepted(**{setting: [one]})


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc", "cannot be mounted over the machine's own /etc"),
        ("/etc/idr/more", "cannot be mounted over the machine's own /etc"),
        ("/opt", "cannot be mounted over the machine's own /opt/omero"),
        ("/var/lib/x", "cannot be mounted over the machine's own /var"),
        ("/data/OMERO", "cannot be mounted over the machine's own /data/OMERO"),
        ("/data/imports", "cannot be mounted over the machine's own /data/imports"),
        (f"/uod/{'x' * 256}", "must have parts of at most 255 characters"),
        (f"/uod/{'a-b/' * 35}c", "is too long for systemd to name its unit"),
        ("/data/OMERO-readonly/Pixels", "cannot be mounted over the machine's own /data/OMERO-readonly"),
        ("/uod/../etc", "must be a path without '.' and '..'"),
        ("/uod/./x", "must be a path without '.' and '..'"),
        ("/uod/", "must be an absolute path"),
        ("uod", "must be an absolute path"),
    ],
)
def test_raw_images_are_mounted_beside_what_the_machine_needs(path: str, reason: str) -> None:
    assert reason in only(lambda v: v.update(nfsMounts=[{"source": "nfs:/uod", "mount": path}]))


def test_a_mount_is_not_inside_another() -> None:
    mounts = [{"source": "nfs:/a", "mount": "/uod"}, {"source": "nfs:/b", "mount": "/uod/b"}]
    assert only(lambda v: v.update(nfsMounts=mounts)) == "idr: nfsMounts: /uod/b is inside /uod, which is mounted too"


NUMBERS: list[tuple[Callable[[Values, Any], object], list[Any]]] = [
    (lambda v, n: v["flavors"]["local.small"].update(memoryMib=n), [1, 511]),
    (lambda v, n: v["flavors"]["local.small"].update(vcpus=n), [0, -1]),
    (lambda v, n: node(v, "database")["volumes"]["db"].update(sizeGib=n), [0]),
    (lambda v, n: node(v, "redis").update(bootVolumeGib=n), [0]),
    (lambda v, n: node(v, "proxy").update(count=n), [0]),
    (lambda v, n: node(v, "omeroreadwrite").update(heapMib=n), [0, 1]),
    (lambda v, n: node(v, "omeroreadwrite").update(webWorkers=n), [0]),
    (lambda v, n: v["omero"].update(poolSize=n), [0, 10**5]),
    (lambda v, n: v.update(rotations={"ca": n}), [0]),
    (lambda v, n: release(v).update(rebuild={"redis": n}), [0]),
    (lambda v, n: v["bastion"].update(rebuild=n), [0]),
]


@pytest.mark.parametrize("position", range(len(NUMBERS)))
def test_a_number_is_one_that_can_be_meant(position: int) -> None:
    change, small = NUMBERS[position]
    for number in [*small, True, False, 10**30, 1e30, float("nan"), float("inf"), 1.5, "many", "1e3", None, [], -1]:
        if number is None and position in (3, 4, 5, 6, 10):
            continue  # not given
        assert mistakes(partial(lambda number, v: change(v, number), number), CERTIFIED), number
