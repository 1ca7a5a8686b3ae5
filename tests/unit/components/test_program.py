"""The whole program, run as by the engine: what it refuses before it declares anything, and its messages."""

import json
import logging
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as engine_config

from harness import stacks
from model.outputs.ssh import known_hosts
from model.outputs.topology import topology
from model.secrets import Secrets
from tests import declared, stubs
from tests.fake_cloud.cloud import FakeCloud

SECRET = "a stack secret of this test, 32 letters or more"  # noqa: S105  # opens nothing
FORMER = "a former stack secret of this test, also long"
MAIN = stacks.ROOT / "__main__.py"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeCloud]:
    """Start a cloud that suffices for the stack `local`, name it in the environment, and empty the state."""
    stubs.put(tmp_path, monkeypatch, "pulumi").answers((0, json.dumps({"version": 3, "deployment": {}}), ""))
    with FakeCloud() as fake_cloud:
        for name, value in fake_cloud.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(stacks.ROOT)
        yield fake_cloud
    engine_config.set_all_config({})


def run(*, preview: bool = False, without: str = "", **changes: Any) -> declared.Recorder:
    """Run the program for the stack `local` with changed settings; `without` removes a key."""
    values = stacks.values("local") | {"stackSecret": SECRET} | changes
    given = {
        f"idr:{key}": json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
        for key, value in values.items()
        if key != without
    }
    engine_config.set_all_config(given, ["idr:stackSecret", "idr:previousStackSecret"])
    return declared.run(lambda: runpy.run_path(str(MAIN)), "local", preview=preview)


def servers(recorder: declared.Recorder) -> int:
    return sum(request.type == "openstack:compute/instance:Instance" for request in recorder.requests.values())


def test_a_stack_that_has_everything_is_declared(cloud: FakeCloud) -> None:
    assert servers(run()) == 5
    assert any("os-quota-sets" in call or "limits" in call for call in cloud.calls)
    # One login for all requests of the program itself; the provider has its own.
    assert len(cloud.identity.tokens) == 1


def test_the_sdk_says_nothing_about_each_resource(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)  # restored after the test
    with caplog.at_level(logging.DEBUG):
        assert servers(run(preview=True)) == 5
    about_resources = [record.message for record in caplog.records if "resource" in record.message]
    # The stack itself is registered before the program begins.
    assert all("idr-local" in message or "pulumi:pulumi:Stack" in message for message in about_resources)
    assert cloud.store.all("servers") == []


def test_locations_that_gixy_finds_a_fault_in_are_refused_before_anything_is_asked(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx" / "docs.nginx").write_text("location /docs/ {\n    proxy_pass http://$arg_host;\n}\n")
    monkeypatch.chdir(tmp_path)
    for preview in (True, False):
        with pytest.raises(pulumi.RunError, match=r"nginx/docs.nginx: line 2: gixy \(high\): Possible SSRF"):
            run(preview=preview, site={"locations": "nginx"})
    assert not cloud.calls


@pytest.mark.parametrize(
    ("service", "quota", "limit", "message"),
    [
        ("compute", "instances", 4, "instances: 5 more needed, 4 left of 4"),
        # In MiB: five small and medium machines take 5120.
        ("compute", "ram", 5000, "ram (MiB): 5120 more needed, 5000 left of 5000"),
        ("volume", "volumes", 0, "volumes: 1 more needed, 0 left of 0"),
        ("network", "floatingip", 1, "floating IPs: 2 more needed, 1 left of 1"),
    ],
)
def test_an_up_that_the_cloud_cannot_carry_out_declares_nothing(
    cloud: FakeCloud, service: str, quota: str, limit: int, message: str
) -> None:
    cloud.limits[service][quota] = limit
    with pytest.raises(pulumi.RunError, match="nothing was changed: this cloud cannot hold the plan") as refused:
        run()
    assert message in str(refused.value)


def test_a_preview_asks_the_cloud_for_no_capacity(cloud: FakeCloud) -> None:
    cloud.limits["compute"]["instances"] = 0
    assert servers(run(preview=True)) == 5
    assert not any("quota" in call or "limits" in call for call in cloud.calls)


def test_a_cloud_that_refuses_is_one_line(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "wrong")
    with pytest.raises(pulumi.RunError, match="the cloud refuses these credentials") as refused:
        run()
    assert len(str(refused.value).splitlines()) == 1
    assert cloud.calls == []


def test_without_a_stack_secret_there_is_a_preview_and_no_up(
    cloud: FakeCloud, caplog: pytest.LogCaptureFixture
) -> None:
    line = "Pulumi.local.yaml: idr:stackSecret: is not set yet"
    with pytest.raises(pulumi.RunError, match=line):
        run(without="stackSecret")
    with caplog.at_level(logging.WARNING):
        assert servers(run(preview=True, without="stackSecret")) == 5
    assert line in caplog.text
    assert cloud.store.all("servers") == []


def nodes_of(monkeypatch: pytest.MonkeyPatch, folder: Path, secret: str) -> None:
    """Make a state whose last update recorded host keys that follow from `secret`."""
    keys = known_hosts(topology(stacks.plan_of("local"), Secrets("local", secret)))
    urn = "urn:pulumi:local::idr::pulumi:pulumi:Stack::idr-local"
    stack = {"urn": urn, "type": "pulumi:pulumi:Stack", "outputs": {"knownHosts": keys}}
    export = {"version": 3, "deployment": {"resources": [stack]}}
    other = folder / "other"
    other.mkdir()
    stubs.put(other, monkeypatch, "pulumi").answers((0, json.dumps(export), ""))


@pytest.mark.usefixtures("cloud")
def test_another_stack_secret_is_refused_unless_the_former_one_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nodes_of(monkeypatch, tmp_path, FORMER)
    with pytest.raises(pulumi.RunError, match="idr:stackSecret is not the secret that this stack's nodes know"):
        run()
    with pytest.raises(pulumi.RunError, match="idr:previousStackSecret is not the secret"):
        run(previousStackSecret="a former secret with a slip in it")
    assert servers(run(previousStackSecret=FORMER)) == 5
    # If another tool configures the nodes, it manages the host keys as well.
    assert servers(run(configure=False)) == 5


@pytest.mark.usefixtures("cloud")
def test_the_nodes_own_stack_secret_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nodes_of(monkeypatch, tmp_path, SECRET)
    assert servers(run()) == 5


def test_mistakes_are_shown_together_and_nothing_is_declared(cloud: FakeCloud) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(colour="blue", live="demo2")
    assert "Pulumi.local.yaml: idr:colour: is not a setting" in str(refused.value)
    assert cloud.calls == []


def test_a_secret_in_plain_text_is_refused(cloud: FakeCloud) -> None:
    given = {f"idr:{key}": json.dumps(value) for key, value in stacks.values("local").items()}
    engine_config.set_all_config(given | {"idr:stackSecret": SECRET}, [])
    with pytest.raises(pulumi.RunError, match="idr:stackSecret: is in plain text"):
        declared.run(lambda: runpy.run_path(str(MAIN)), "local")
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, False),
        ({"configure": False}, True),
        ({"configure": False, "keypair": "the project's"}, False),
        (
            {
                "configure": False,
                "operators": [stacks.OPERATOR_KEY],
            },
            False,
        ),
        ({"configure": False, "operators": [{"name": "a", "keys": [stacks.OPERATOR_KEY], "role": "curator"}]}, True),
        ({"configure": False, "operators": [{"name": "a", "keys": [stacks.OPERATOR_KEY], "role": "operator"}]}, False),
    ],
)
def test_machines_that_nobody_could_log_in_to_are_warned_of(
    cloud: FakeCloud, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], warned: bool
) -> None:
    with caplog.at_level(logging.WARNING):
        run(preview=True, **changes)
    assert ("nobody can log in" in caplog.text) is warned
    assert cloud.store.all("servers") == []


def test_with_configure_false_nothing_is_run_on_the_machines(cloud: FakeCloud) -> None:
    recorder = run(configure=False)
    assert servers(recorder) == 5
    assert not any(request.type.startswith("command:") for request in recorder.requests.values())
    assert cloud.calls


@pytest.mark.usefixtures("cloud")
def test_settings_under_a_former_name_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    share = {"source": "nfs.example.org:/idr", "mount": "/uod/idr"}
    with caplog.at_level(logging.WARNING):
        run(preview=True, storage=[{"kind": "nfs", **share}])
        assert "idr:storage" not in caplog.text
        run(preview=True, nfsMounts=[share])
    assert "Pulumi.local.yaml: idr:nfsMounts is read for one version more" in caplog.text


def test_python_looks_for_garbage_seldom() -> None:
    code = "import gc, components; print(gc.get_threshold()[0] == components.OBJECTS > 100_000)"
    done = subprocess.run([sys.executable, "-c", code], cwd=stacks.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
