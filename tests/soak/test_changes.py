"""The full shape of `ebi` with small sizes, on real guests: what each kind of change does, and what it leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import stacks
from harness.clients.environment import HERE
from harness.cloud import tenant
from harness.cloud.service import NAME, Service
from harness.cloud.tenant import Tenant
from harness.steps import Step, lines_of, of_update, replaced
from model.programs import SERVER_PORTS
from tests.cloud.test_clients import PLANES, read

pytestmark = pytest.mark.cloud

PROJECT = "idr-changes"
RELEASE = "demo1"
GROUP = "omeroreadonly"
READ_ONLY = f"{RELEASE}-{GROUP}"
# Kinds that belong to machines, not to their data or network.
MACHINE = {"Instance", "VolumeAttach", "Command"}


@pytest.fixture(scope="module")
def stack(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Start all of it in another project."""
    assert service.outputs
    new_stack = tenant.make(tmp_path_factory.mktemp("changes"), PROJECT)
    tenant.quota(PROJECT, **tenant.LARGE)
    new_stack.configure(idr_releases=stacks.small_ebi())
    with new_stack.running():
        yield new_stack


@pytest.fixture
def trial(stack: Tenant) -> Iterator[Tenant]:
    """Return the same stack for settings that are only previewed; restore the settings afterwards."""
    paths = (stack.folder / "Pulumi.local.yaml", stack.folder / "model" / "firewall.py")
    files = {path: path.read_text() for path in paths}
    yield stack
    for path, text in files.items():
        path.write_text(text)


def volumes(stack: Tenant) -> dict[str, str]:
    return {volume.name: volume.id for volume in stack.cloud().block_storage.volumes()}


def only_configuration(steps: tuple[Step, ...]) -> bool:
    return bool(steps) and all(step.op == "update" and step.kind == "Command" for step in steps)


def rules_of_servers(*numbers: int) -> set[str]:
    """Return the rules of the ports by which programs reach single servers, by the servers' numbers."""
    return {f"{RELEASE}-proxy-tcp-{SERVER_PORTS[number - 1]}-from-0.0.0.0/0" for number in numbers}


# Only previewed, not applied.


SERVERS = {
    ("websocket", 1): ["-s", f"wss://{NAME}/omero-ws/1"],
    ("websocket", 2): ["-s", f"wss://{NAME}/omero-ws/2"],
    ("port", 1): ["-s", NAME, "-p", "14061"],
    ("port", 2): ["-s", NAME, "-p", "14062"],
}
"""Options of the OMERO command line that choose a server, by protocol and number."""


@pytest.mark.parametrize("way", ["websocket", "port"])
def test_a_program_keeps_the_server_that_its_number_names(stack: Tenant, tmp_path: Path, way: str) -> None:
    client = stack.service().client(tmp_path)
    login = client.omero("login", *SERVERS[way, 2], "-u", "public", "-w", "public")
    assert login.returncode == 0, login.stderr
    key = client.omero("sessions", "key").stdout.strip()
    knows = {
        server for server, words in SERVERS.items() if client.omero("-q", "login", *words, "-k", key).returncode == 0
    }
    assert knows == {("websocket", 2), ("port", 2)}, "a session is known to one server alone, by either of its numbers"


def test_pixels_are_read_by_the_port_of_a_server(stack: Tenant, tmp_path: Path) -> None:
    service = stack.service()
    client, ports = service.client(tmp_path), service.outputs["endpoints"]["omeroServers"]
    assert [port.rpartition(":")[2] for port in ports] == ["14061", "14062", "14063", "14064"]
    assert client.omero("login", *SERVERS["port", 2], "-u", "public", "-w", "public").returncode == 0
    key = client.omero("sessions", "key").stdout.strip()
    answer = read(client.run("python", HERE / "read_image.py", "join", f"ssl://{NAME}:14062", key))
    assert (answer["user"], answer["planes"]) == ("public", PLANES)


def test_up_again_has_nothing_to_do(stack: Tenant) -> None:
    assert stack.foreseen() == ()


def test_another_operator_key_only_configures_every_node(trial: Tenant) -> None:
    trial.configure(idr_operators=[stacks.NEW_OPERATOR])
    steps = trial.foreseen()
    assert only_configuration(steps), lines_of(steps)
    assert len(steps) == len(trial.servers())


def test_another_password_only_configures_those_who_use_it(trial: Tenant) -> None:
    trial.configure(idr_rotations={f"password/{RELEASE}/redis": 2})
    steps = trial.foreseen()
    assert only_configuration(steps), lines_of(steps)
    users = {f"{RELEASE}-redis", f"{RELEASE}-omeroreadwrite", *(f"{READ_ONLY}-{number}" for number in range(1, 5))}
    assert {step.name for step in steps} == users


def test_another_tuning_value_only_configures(trial: Tenant) -> None:
    flavors = stacks.values("local")["flavors"]
    flavors["local.small"]["memoryMib"] = 700
    trial.configure(idr_flavors=flavors)
    steps = trial.foreseen()
    assert only_configuration(steps), lines_of(steps)


def test_another_flavor_resizes_that_node_in_place(trial: Tenant) -> None:
    releases = stacks.small_ebi()
    releases[RELEASE]["nodes"]["redis"]["flavor"] = "local.medium"
    trial.configure(idr_releases=releases)
    steps = trial.foreseen()
    assert [step.name for step in steps if step.kind == "Instance"] == [f"{RELEASE}-redis"], lines_of(steps)
    assert {step.op for step in steps} == {"update"}, lines_of(steps)


def test_another_image_replaces_that_machine_and_nothing_that_outlives_it(trial: Tenant) -> None:
    releases = stacks.small_ebi()
    releases[RELEASE]["nodes"]["database"]["image"] = "another-image"
    trial.configure(idr_releases=releases)
    steps = trial.foreseen()
    assert replaced(steps, "Instance") == {f"{RELEASE}-database"}
    assert {step.kind for step in steps} == MACHINE, lines_of(steps)


def test_another_rule_adds_that_rule_and_its_host_firewall(trial: Tenant) -> None:
    table = trial.folder / "model" / "firewall.py"
    text, begin = table.read_text(), "FLOWS: tuple[Flow, ...] = (\n"
    assert begin in text
    table.write_text(text.replace(begin, f"{begin}    Flow(WORLD, Role.PROXY, 8443, 'a trial'),\n"))
    steps = trial.foreseen()
    assert [step.op for step in steps if step.kind == "SecGroupRule"] == ["create"], lines_of(steps)
    rest = tuple(step for step in steps if step.kind != "SecGroupRule")
    assert only_configuration(rest), lines_of(steps)
    # The proxy's host firewall has the same rule.
    assert f"{RELEASE}-proxy" in {step.name for step in rest}


def test_a_typo_in_the_settings_reaches_no_resource(trial: Tenant) -> None:
    before = trial.listing()
    releases = stacks.small_ebi()
    releases[RELEASE]["nodes"][GROUP]["cuont"] = 6
    trial.configure(idr_releases=releases)
    done = trial.pulumi("up", "--stack", "local", "--yes", "--skip-preview", "--json")
    assert done.returncode != 0
    assert f"Pulumi.local.yaml: idr:releases.{RELEASE}.nodes.{GROUP}.cuont: is not a setting" in done.stdout
    assert of_update(done.stdout) == ()
    assert trial.listing() == before


# Applied, one after another.


def test_more_read_only_nodes_touch_no_machine_that_is_there(stack: Tenant) -> None:
    before = stack.servers()
    scale(stack, 6)
    steps = stack.apply()
    assert not replaced(steps), lines_of(steps)
    created = {step.name for step in steps if step.op == "create"}
    assert created == {*(f"{READ_ONLY}-{number}" for number in (5, 6)), *rules_of_servers(5, 6)}, lines_of(steps)
    assert only_configuration(tuple(step for step in steps if step.op != "create"))
    assert before.items() < stack.servers().items()


def test_fewer_read_only_nodes_take_away_the_last_ones_only(stack: Tenant) -> None:
    before, kept = stack.servers(), volumes(stack)
    scale(stack, 3)
    steps = stack.apply()
    deleted = {step.name for step in steps if step.op == "delete"}
    gone = {f"{READ_ONLY}-{number}" for number in (4, 5, 6)}
    assert deleted == {*gone, *rules_of_servers(4, 5, 6)}, lines_of(steps)
    assert not replaced(steps), lines_of(steps)
    assert set(before) - set(stack.servers()) == {f"idr-local-{name}" for name in gone}
    assert stack.servers().items() < before.items()
    assert volumes(stack) == kept


def test_after_all_of_it_there_is_nothing_to_do(stack: Tenant) -> None:
    assert stack.foreseen() == ()


def scale(stack: Tenant, count: int) -> None:
    releases = stack.settings("releases")
    releases[RELEASE]["nodes"][GROUP]["count"] = count
    stack.configure(idr_releases=releases)
