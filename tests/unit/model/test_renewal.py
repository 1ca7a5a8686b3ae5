"""A new stack secret beside the former one: the accepted settings while both are trusted, and afterwards."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from harness import stacks
from model.field_types import SEALED
from model.outputs.ssh import known_hosts
from model.outputs.topology import topology
from model.reading import Source, parse
from model.secrets import Secrets, are_of, of_settings
from tests.unit.model.mistakes import Values, mistakes, release

FORMER, PRESENT = "the former stack secret, of tests alone", "the present stack secret, of tests alone"
BEFORE, AFTER = Secrets("local", FORMER), Secrets("local", PRESENT)
MEANWHILE = replace(AFTER, previous=BEFORE)
ENCRYPTED = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret", "previousStackSecret"}))


def test_the_key_that_configures_nodes_is_always_one_that_they_know_already() -> None:
    updates = ((BEFORE, MEANWHILE), (MEANWHILE, MEANWHILE), (MEANWHILE, AFTER))
    for known, used in updates:
        assert used.deploy_keys()[0] in known.deploy_keys()


def test_the_former_deploy_key_opens_nothing_afterwards() -> None:
    assert set(BEFORE.deploy_keys()).isdisjoint(AFTER.deploy_keys())


def test_the_deploy_key_can_be_rotated_in_the_same_update() -> None:
    number = {"ssh/deploy": 2}
    meanwhile = replace(MEANWHILE, rotations=number, previous=replace(BEFORE, rotations=number))
    assert meanwhile.deploy_keys()[0] in BEFORE.deploy_keys()
    assert replace(AFTER, rotations=number).deploy_keys()[0] in meanwhile.deploy_keys()


def test_a_node_may_have_either_host_key_and_is_to_have_its_own() -> None:
    former, present = (secrets.ssh_key("host/demo1-redis").public for secrets in (BEFORE, AFTER))
    assert MEANWHILE.host_keys("demo1-redis") == (present, former)
    assert AFTER.host_keys("demo1-redis") == (present,)


def test_a_service_that_takes_several_passwords_takes_the_former_one_too() -> None:
    former, present = (secrets.password("demo1/redis") for secrets in (BEFORE, AFTER))
    assert MEANWHILE.password("demo1/redis") == present
    assert MEANWHILE.accepted_passwords("demo1/redis") == (present, former)
    assert AFTER.accepted_passwords("demo1/redis") == (present,)


@pytest.mark.parametrize(
    ("trusting", "signed", "accepted"),
    [
        (MEANWHILE, BEFORE, True),
        (MEANWHILE, MEANWHILE, True),
        (BEFORE, MEANWHILE, True),
        (MEANWHILE, AFTER, True),
        (AFTER, BEFORE, False),
        (AFTER, MEANWHILE, False),
    ],
)
def test_whose_certificates_are_accepted(tmp_path: Path, trusting: Secrets, signed: Secrets, accepted: bool) -> None:
    (tmp_path / "ca.crt").write_text(trusting.authorities)
    (tmp_path / "a.crt").write_text(signed.certificate("a", ("a", "10.0.0.1")).certificate)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "-verify_ip", "10.0.0.1", "a.crt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is accepted, done.stderr


def test_the_settings_name_both_secrets_and_numbers_count_for_both() -> None:
    numbers = {"password/demo1/redis": 3}
    settings = stacks.settings("local").model_copy(
        update={"previous_stack_secret": SecretStr(FORMER), "rotations": numbers}
    )
    of_settings_file = of_settings(settings, "local", PRESENT)
    assert (of_settings_file.stack_secret, of_settings_file.rotations) == (PRESENT, numbers)
    assert of_settings_file.previous
    assert (of_settings_file.previous.stack_secret, of_settings_file.previous.rotations) == (FORMER, numbers)
    assert FORMER not in repr(of_settings_file)


def shown(secrets: Secrets) -> str:
    return known_hosts(topology(stacks.plan_of("local"), secrets))


@pytest.mark.parametrize(
    ("nodes", "given", "known"),
    [
        (BEFORE, BEFORE, True),
        (BEFORE, AFTER, False),
        (BEFORE, MEANWHILE, True),
        (MEANWHILE, MEANWHILE, True),
        (MEANWHILE, AFTER, True),
        (BEFORE, replace(AFTER, previous=Secrets("local", "a former secret with a slip in it")), False),
        (BEFORE, replace(BEFORE, rotations={"ssh/host/bastion": 2}), True),
    ],
)
def test_a_secret_that_the_nodes_do_not_know_is_recognised(nodes: Secrets, given: Secrets, known: bool) -> None:
    assert are_of(given, shown(nodes)) is known


def test_a_stack_without_nodes_is_anybodys() -> None:
    assert are_of(AFTER, "")


def renewed(values: Values) -> None:
    values.update(stackSecret=PRESENT, previousStackSecret=FORMER)


BAD: dict[str, tuple[Callable[[Values], object], list[str]]] = {
    "no new secret": (lambda v: v.pop("stackSecret"), ["is the former secret; idr:stackSecret must be the new one"]),
    "the same secret": (
        lambda v: v.update(previousStackSecret=PRESENT),
        ["is the same as idr:stackSecret; make a new one of that with: openssl rand -hex 32"],
    ),
    "a frozen release": (
        lambda v: release(v).update(frozen=True),
        ["release demo1 is frozen and would keep the former secret's keys: set its `frozen` to false first"],
    ),
    "nodes of another tool": (
        lambda v: v.update(configure=False),
        ["with `configure: false` no node can be changed: leave it out, and rebuild the nodes for other host keys"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_renewal_that_cannot_be_done_is_refused(name: str) -> None:
    change, problems = BAD[name]

    def both(values: Values) -> None:
        renewed(values)
        change(values)

    assert mistakes(both, ENCRYPTED) == [f"Pulumi.local.yaml: idr:previousStackSecret: {one}" for one in problems]


def test_the_former_secret_is_refused_in_plain_text() -> None:
    encrypted = replace(ENCRYPTED, encrypted=frozenset({"stackSecret"}))
    plain = "is in plain text; keep it with: pulumi config set --secret idr:previousStackSecret"
    assert mistakes(renewed, encrypted) == [f"Pulumi.local.yaml: idr:previousStackSecret: {plain}"]


def test_the_new_secret_must_be_random_and_the_former_one_need_not_have_been() -> None:
    values = stacks.values("local") | {"stackSecret": PRESENT, "previousStackSecret": "hunter2"}
    assert parse(values, ENCRYPTED).previous_stack_secret == SecretStr("hunter2")
    (line,) = mistakes(lambda v: v.update(stackSecret="hunter2", previousStackSecret=FORMER), ENCRYPTED)
    assert "idr:stackSecret: needs 32 random characters" in line


def test_two_secrets_that_nobody_opened_are_not_called_the_same() -> None:
    values = stacks.values("local") | {"stackSecret": SEALED, "previousStackSecret": SEALED}
    assert parse(values, ENCRYPTED).previous_stack_secret == SecretStr(SEALED)
