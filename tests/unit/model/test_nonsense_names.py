"""Names that are in use, or that mean nothing in their setting, are refused."""

import pytest
from cryptography import x509

from harness import rendered, stacks
from model import hosts
from model.outputs.groups import groups
from model.planning import internal_name, plan
from model.reading import Source, parse
from model.secrets import Secrets
from tests.unit.model.mistakes import CERTIFIED, GOOD_KEY, HOST, Values, given_with, mistakes, only, release


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
    stack_plan = stacks.plan_of(layout)
    hosts = {each.name for each in stack_plan.nodes}
    assert not hosts & {group for each in stack_plan.nodes for group in groups(each, stack_plan)}


@pytest.mark.parametrize("name", ["localhost", "bastion", "hosts"])
def test_a_node_cannot_have_a_name_that_is_taken(name: str) -> None:
    message = only(lambda v: release(v)["nodes"].update({name: release(v)["nodes"].pop("redis")}))
    assert message.startswith(f"idr: releases.demo1.nodes.{name}: cannot have this name: ")


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
            continue  # a mailbox on localhost can be on this machine
        message = mistakes(lambda v, change=change: v.update(change), CERTIFIED)  # type: ignore[misc]  # a lambda with a default
        assert len(message) == 1, change
        assert any(part in message[0] for part in ("must be", "cannot be", "must name")), message


@pytest.mark.parametrize("name", ["haproxy", "dhcpcd", "usbmux", "postgres", "omero-web", "idr", "systemd-journal"])
def test_a_person_has_no_account_of_the_systems(name: str) -> None:
    person = {"name": name, "role": "jump", "keys": [f"ssh-ed25519 {GOOD_KEY}"]}
    assert f"the name '{name}' belongs to the system or to this program" in given_with(operators=[person])


def test_a_host_name_is_another_machines() -> None:
    assert "'localhost' is each machine itself" in only(lambda v: v.update(hostName="localhost"))
    assert "'localhost' is each machine itself" in only(lambda v: v.update(timeServers=["a.localhost"]))


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
    stack_plan = plan(parse(values, Source(stack, f"Pulumi.{stack}.yaml")), stack)
    rendered.texts(stack_plan, Secrets(stack, "a stack secret for tests"))
    assert all(len(label) <= 63 for label in stack_plan.host_name.split("."))
    names = Secrets(stack, "a stack secret for tests").certificate("x", (stack_plan.host_name, "a"))
    certificate = x509.load_pem_x509_certificate(names.certificate.encode())
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternative.get_values_for_type(x509.DNSName) == [stack_plan.host_name, "a"]
