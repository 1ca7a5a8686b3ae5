"""Settings that name what is not there, take another's place, or cannot be meant: each kind with several cases."""

import base64
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Network
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness import rendered, stacks
from model import hosts
from model.field_types import SEALED
from model.hosts import NOT_FOR_MACHINES
from model.outputs.groups import groups
from model.planning import internal_name, plan
from model.reading import Source, parse
from model.secrets import Secrets, secret_names
from tests.unit.model.mistakes import Values, mistakes, node, release

CERTIFIED = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"certificate"}))
HOST = "idr.example.org"
GOOD_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIDSUk6ZgYr/l69z12n1tAyq0fkA8siBmQLE9bKlf6pCH"
KEY_BEGIN = "-----BEGIN {}PRIVATE KEY-----"


def only(change: Callable[[Values], object], source: Source = CERTIFIED) -> str:
    """What is said of the one mistake."""
    (line,) = mistakes(change, source)
    return line.removeprefix("Pulumi.local.yaml: ")


def given_with(**values: Any) -> str:
    """What is said of the one mistake in these top-level values."""
    return only(lambda v: v.update(values))


def accepted(**values: Any) -> None:
    parse(stacks.values("local") | values, CERTIFIED)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("password/demo1/redsi", "did you mean 'password/demo1/redis'?"),
        ("password/demo2/redis", "did you mean 'password/demo1/redis'?"),
        ("ssh/deploi", "did you mean 'ssh/deploy'?"),
        ("tls/demo1-prox", "did you mean 'tls/demo1-proxy'?"),
        ("CA", "there are: ca, password/demo1/database/omero"),
    ],
)
def test_a_rotation_of_no_secret_is_named(name: str, end: str) -> None:
    said = only(lambda v: v.update(rotations={name: 2}))
    assert said.startswith(f"idr:rotations: '{name}' is the name of no secret of this stack; {end}")


def test_every_name_that_is_derived_can_be_rotated_and_no_other() -> None:
    asked: set[str] = set()

    class Asked(Secrets):
        def derive(self, name: str, length: int, rotation: int | None = None) -> bytes:
            asked.add(name)
            return super().derive(name, length, rotation)

    made = stacks.plan_of("ebi")
    rendered.texts(made, Asked("ebi", "a stack secret for tests"))
    # A certificate's serial number is not of its own: it is renewed with the certificate.
    assert {name for name in asked if not name.startswith("serial/")} == secret_names(made)


@pytest.mark.parametrize("name", ["bastion", "proxy", "omero", "database", "omeroreadwrite", "all", "localhost"])
def test_a_release_cannot_have_the_name_of_a_role_or_group(name: str) -> None:
    def rename(values: Values) -> None:
        values["releases"] = {name: release(values)}
        values["live"] = name

    assert only(rename) == f"idr: releases.{name}: cannot have this name: it is that of a role or of an Ansible group"


@pytest.mark.parametrize(
    "name", ["proxy", "omero", "omeroreadonly", "data", "demo1", "demo1-web", "redis", "proxy-hosts"]
)
def test_the_storage_group_cannot_be_another_group(name: str) -> None:
    assert only(lambda v: v.update(storageGroup=name)).startswith(f"idr: storageGroup: cannot be '{name}'")


@pytest.mark.parametrize("layout", stacks.LAYOUTS)
def test_no_group_of_a_layout_has_two_meanings(layout: str) -> None:
    made = stacks.plan_of(layout)
    hosts = {each.name for each in made.nodes}
    assert not hosts & {group for each in made.nodes for group in groups(each, made)}


@pytest.mark.parametrize("name", ["localhost", "bastion", "hosts"])
def test_a_node_cannot_have_a_name_that_is_taken(name: str) -> None:
    said = only(lambda v: release(v)["nodes"].update({name: release(v)["nodes"].pop("redis")}))
    assert said.startswith(f"idr: releases.demo1.nodes.{name}: cannot have this name: ")


@pytest.mark.parametrize("reserved", NOT_FOR_MACHINES)
def test_networks_and_addresses_are_those_that_machines_can_have(reserved: IPv4Network) -> None:
    inside = f"{reserved[256]}/24"
    assert "cannot be a network of machines" in only(lambda v: v["bastion"].update(cidr=inside))
    assert "cannot be a network of machines" in only(lambda v: release(v).update(cidr=inside))
    named = {"name": "storage", "cidr": inside}
    assert "cannot be a network of machines" in only(lambda v: v.update(storageNetwork=named))
    address = str(reserved[257])
    for change in ({"dnsServers": [address]}, {"floatingIps": {"public": address}}, {"timeServers": [address]}):
        assert "cannot be the address of a machine" in given_with(**change), change


@pytest.mark.parametrize("cidr", ["8.8.8.0/24", "172.0.0.0/8", "193.62.55.0/24"])
def test_a_network_of_the_internet_is_for_networks_that_are_there_already(cidr: str) -> None:
    assert "is of the internet" in only(lambda v: release(v).update(cidr=cidr))
    releases = {"demo1": stacks.values("local")["releases"]["demo1"] | {"cidr": cidr, "existingNetwork": "campus"}}
    accepted(releases=releases)


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("dnsServers", {"dnsServers": ["10.130.1.20"]}),
        ("timeServers", {"timeServers": ["10.130.0.10"]}),
        ("sshFrom", {"sshFrom": ["192.0.2.0/24", "10.130.0.0/25"]}),
        ("omeroFrom", {"omeroFrom": ["10.130.1.0/24"]}),
        ("floatingIps.bastion", {"floatingIps": {"bastion": "10.130.1.50"}}),
        ("proxies", {"proxies": {"http": "http://10.130.1.50:3128"}}),
        ("nfsMounts", {"nfsMounts": [{"source": "10.130.1.40:/uod", "mount": "/uod"}]}),
    ],
)
def test_machines_of_the_site_are_not_in_the_stacks_own_networks(setting: str, change: Values) -> None:
    said = only(lambda v: v.update(change))
    assert said.startswith(f"idr: {setting} 10.130.")
    assert said.endswith("where this stack's own machines are")


@pytest.mark.parametrize("name", ["proxy", "bastion", "demo1-redis", "demo1-proxy", "database"])
def test_a_machine_of_the_site_does_not_have_the_name_of_a_node(name: str) -> None:
    for setting, change in (
        ("timeServers", {"timeServers": [name]}),
        ("proxies", {"proxies": {"http": f"http://{name}:3128"}}),
        ("nfsMounts", {"nfsMounts": [{"source": f"{name.upper()}:/uod", "mount": "/uod"}]}),
    ):
        assert given_with(**change).startswith(f"idr: {setting}: nodes take '{name}' for the stack's own node"), change
    accepted(timeServers=[f"{name}.example.org", "demo2-redis"])


def test_the_storage_network_is_not_where_floating_addresses_come_from() -> None:
    storage = {"name": "public", "cidr": "172.16.0.0/16"}
    said = given_with(externalNetwork="public", storageNetwork=storage)
    assert said.startswith("idr: storageNetwork.name: is the externalNetwork")
    accepted(externalNetwork="internet", storageNetwork=storage)


def test_one_floating_address_leads_to_one_machine() -> None:
    said = only(lambda v: v.update(floatingIps={"public": "192.0.2.9", "bastion": "192.0.2.9"}))
    assert said == "idr:floatingIps: public and bastion are both 192.0.2.9: an address leads to one machine"


@pytest.mark.parametrize(
    "host",
    [
        "a..b",
        "-a.example.org",
        "a-.example.org",
        "a" * 64 + ".example.org",
        "1.2.3",
        "256.1.1.1",
        "7",
        "0x7f000001",
        "a.0x1",
    ],
)
def test_a_host_name_is_one(host: str) -> None:
    for change in ({"hostName": host}, {"timeServers": [host]}, {"proxies": {"exceptions": [host]}}):
        assert "must be a host name" in given_with(**change), change


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0.0.0.0", "256.1.1.1", "a..b", "-a"])  # noqa: S104  # read, not bound
def test_every_setting_with_a_host_in_it_names_another_machine(host: str) -> None:
    mount = {"source": f"{host}:/uod", "mount": "/uod"}
    part = {"url": f"https://{host}/file.zip"}
    named = {"hostName": HOST}
    for change in (
        {"nfsMounts": [mount]},
        {"proxies": {"http": f"http://{host}:3128"}},
        {"omero": {"distribution": "demo", "server": part}},
        {**named, "acme": {"directory": f"https://{host}/directory"}},
        {**named, "acme": {"email": f"operators@{host}"}},
    ):
        if "email" in str(change) and host == "localhost":
            continue  # an account of another machine's cannot be told from it
        said = mistakes(lambda v, change=change: v.update(change), CERTIFIED)  # type: ignore[misc]  # a lambda with a default
        assert len(said) == 1, change
        assert any(part in said[0] for part in ("must be", "cannot be", "must name")), said


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
    said = only(lambda v: v["omero"].update(server={"url": url}))
    assert said.startswith(f"idr:omero.server.url: {reason}")


@pytest.mark.parametrize("url", ["http://p:0", "http://p:3128/path", "http://p:3128/?x=1", "http://p:3128#x"])
def test_a_proxy_is_a_host_and_a_port(url: str) -> None:
    assert "must " in given_with(proxies={"http": url})


@pytest.mark.parametrize(
    ("change", "said"),
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
def test_a_setting_of_a_proxy_that_is_not_there_is_named(change: Values, said: str) -> None:
    assert given_with(proxies=change) == f"idr:proxies: {said}"
    named = {"http": "http://proxy.example.org:3128"}
    accepted(proxies={key: value for key, value in change.items() if key != "packages"} | named)
    accepted(proxies={**change, "http": SEALED})


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("redis", {"heapMib": 512}, "heapMib: this node has no OMERO.server"),
        ("redis", {"webWorkers": 2}, "webWorkers: this node has no OMERO.web"),
        ("proxy", {"antiAffinity": "hard"}, "antiAffinity: one node has none to be apart from; set count"),
    ],
)
def test_a_setting_of_what_a_node_does_not_have_is_named(name: str, change: Values, said: str) -> None:
    assert only(lambda v: node(v, name).update(change)) == f"idr:releases.demo1.nodes.{name}: {said}"


@pytest.mark.parametrize("name", ["haproxy", "dhcpcd", "usbmux", "postgres", "omero-web", "idr", "systemd-journal"])
def test_a_person_has_no_account_of_the_systems(name: str) -> None:
    person = {"name": name, "role": "jump", "keys": [f"ssh-ed25519 {GOOD_KEY}"]}
    assert f"the name '{name}' belongs to the system or to this program" in given_with(operators=[person])


OFFICIAL = stacks.values("ebi")["omero"]
FAR = {"url": "http://files.example.org:8081/Ice.tar.gz"}


def test_what_is_fetched_is_at_a_port_that_is_open() -> None:
    from_there = {"omero": {**OFFICIAL, "ice": FAR}}
    said = "idr: omero.ice.url: nodes may fetch from ports 80 and 443, not from 8081: add a flow that opens it"
    assert given_with(**from_there) == said
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
    said = given_with(web={"config": config})
    assert said == "idr: web.config: omero.mail.host is at port 587, which no flow opens; add one to flows"
    accepted(web={"config": {"omero.mail.host": SEALED, "omero.mail.port": SEALED}})


def test_the_keys_of_a_cache_fit_into_the_proxys_memory() -> None:
    said = only(lambda v: node(v, "proxy").update(volumes={"nginxcache": {"sizeGib": 5000}}))
    assert said.startswith("idr: releases.demo1.nodes.proxy: the keys of a cache of 5000 GiB take ")
    assert said.endswith("its flavor 'local.small' has 768 beside what its other services take")


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


def test_an_existing_network_has_one_purpose() -> None:
    releases = {"demo1": stacks.values("local")["releases"]["demo1"] | {"existingNetwork": "campus"}}
    said = given_with(releases=releases, externalNetwork="campus")
    assert said.startswith("idr: releases.demo1.existingNetwork: is the externalNetwork")
    storage = {"name": "campus", "cidr": "172.16.0.0/16"}
    said = given_with(releases=releases, storageNetwork=storage)
    assert said.startswith("idr: releases.demo1.existingNetwork: is the storageNetwork")
    accepted(releases=releases, storageNetwork=storage | {"name": "storage"})


NETWORK_FORMS = [3232235776, "10.0.0.0/024", "10.0.0.0/0.0.0.255", "192.0.2.0/255.255.255.0", " 10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize("network", NETWORK_FORMS)
def test_a_network_is_written_with_a_prefix_length(network: Any) -> None:
    expected = "must be an IPv4 network, as in 192.168.130.0/24"
    assert expected in given_with(sshFrom=[network])
    assert expected in only(lambda v: v["bastion"].update(cidr=network))


@pytest.mark.parametrize("address", [3232235777, True, "192.0.2.1/32", "0192.0.2.1", "192.0.2", "\u0661.2.3.4"])
def test_an_address_is_written_in_four_numbers(address: Any) -> None:
    assert "must be an IPv4 address, as in 192.0.2.10" in given_with(dnsServers=[address])
    assert "must be an IPv4 address, as in 192.0.2.10" in given_with(floatingIps={"public": address})


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


def test_a_subnet_takes_five_name_servers() -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 7)]
    assert given_with(dnsServers=addresses) == "idr:dnsServers: must have at most 5 entries"
    accepted(dnsServers=addresses[:5], sshFrom=["10.0.0.0/8"])


def test_two_encrypted_entries_may_differ() -> None:
    accepted(operators=[SEALED, SEALED])


@pytest.mark.parametrize("path", [("flavors", "local.small", "vcpus"), ("bastion", "cidr"), ("omero", "distribution")])
def test_what_is_encrypted_and_no_secret_is_named_so(path: tuple[str, ...]) -> None:
    def seal(values: Values) -> None:
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = SEALED

    assert only(seal) == f"idr:{'.'.join(path)}: is encrypted, which only secrets may be: write it in plain text"


def test_a_host_name_is_another_machines() -> None:
    assert "'localhost' is each machine itself" in only(lambda v: v.update(hostName="localhost"))
    assert "'localhost' is each machine itself" in only(lambda v: v.update(timeServers=["a.localhost"]))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc", "cannot be mounted over the machine's own /etc"),
        ("/etc/idr/more", "cannot be mounted over the machine's own /etc"),
        ("/opt", "cannot be mounted over the machine's own /opt/omero"),
        ("/var/lib/x", "cannot be mounted over the machine's own /var"),
        ("/data/OMERO", "cannot be mounted over the machine's own /data/OMERO"),
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


@pytest.mark.parametrize(
    "key",
    [
        "ssh-ed25519 hello",
        f"ssh-rsa {GOOD_KEY}",
        f"ssh-ed25519 {GOOD_KEY[:40]} folded",
        f"ssh-ed25519 {GOOD_KEY[:30]}= x",
        "ssh-rsa " + base64.b64encode(b"\0\0\0\7ssh-rsa\0\0\0\1").decode(),
        f"ssh-ed25519 {GOOD_KEY} a\rb",
        f"ssh-ed25519 {GOOD_KEY} a\x85b",
        f"ssh-ed25519 {GOOD_KEY} a\u2066b",
        KEY_BEGIN.format("OPENSSH ") + "\nc2VjcmV0",
    ],
)
def test_an_operators_key_is_a_key_and_what_is_none_is_not_repeated(key: str) -> None:
    said = only(lambda v: v.update(operators=[key]))
    assert said.startswith("idr:operators.0: must be ")
    assert not any(part in said for part in key.split()[1:] if len(part) > 4)


def test_a_weak_operators_key_is_refused() -> None:
    def key(bits: int) -> str:
        public = rsa.generate_private_key(65537, bits).public_key()
        return public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()

    assert "this RSA key has 1024 bits" in only(lambda v: v.update(operators=[key(1024)]))
    accepted(operators=[key(2048), f"ssh-ed25519 {GOOD_KEY}", f"ssh-ed25519 {GOOD_KEY} Zoë at work", SEALED])


@pytest.mark.parametrize("secret", ["x" * 64, "01234567" * 5, "0011" * 10, "short"])
def test_a_stack_secret_is_random(secret: str) -> None:
    source = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret"}))
    assert "idr:stackSecret: needs 32 random characters" in only(lambda v: v.update(stackSecret=secret), source)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\0b", "\ud800", "a\x1bb", "a\x85b", "a\x9b1m", "a\u202eb", "", " ", "2024-01-13 00:00:00 +0000 UTC"],
)
def test_a_name_in_the_cloud_is_a_line_of_text(text: str) -> None:
    assert mistakes(lambda v: v.update(image=text), CERTIFIED)


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("EBI", "ebi"),
        ("My_Stack", "my-stack"),
        ("-a-", "a"),
        ("a..b", "a.b"),
        ("a--b", "a--b"),
        ("x" * 62 + "-y", "x" * 62),
    ],
)
def test_a_stack_of_any_name_gives_a_host_name(stack: str, expected: str) -> None:
    assert hosts.host_name(internal_name(stack)) == f"{expected}.idr.internal"
    assert internal_name(stack, node="demo1-redis") == f"demo1-redis.{expected}.idr.internal"


@pytest.mark.parametrize(
    ("stack", "host"), [("s" * 49, None), ("s" * 100, None), ("local", "a" * 60 + ".example.org"), ("ebi.test", None)]
)
def test_long_names_are_names(stack: str, host: str | None) -> None:
    values = stacks.values("local") | ({"hostName": host} if host else {})
    values["omero"] = stacks.values("ebi")["omero"]
    made = plan(parse(values, Source(stack, f"Pulumi.{stack}.yaml")), stack)
    rendered.texts(made, Secrets(stack, "a stack secret for tests"))
    assert all(len(label) <= 63 for label in made.host_name.split("."))
    names = Secrets(stack, "a stack secret for tests").certificate("x", (made.host_name, "a"))
    found = x509.load_pem_x509_certificate(names.certificate.encode())
    alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternative.get_values_for_type(x509.DNSName) == [made.host_name, "a"]
