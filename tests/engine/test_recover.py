"""Cloud and state that differ, on the fake cloud: what `up` refuses, and what `idr recover` repairs."""

import dataclasses
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.recovery import REDIS, VOLUME, Deployment, refused
from tests.fake_cloud import identity
from tests.fake_cloud.cloud import FakeCloud, Service
from tests.fake_cloud.http import Answer, Call
from tests.fake_cloud.project import STACK, CloudProject, local_stack

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Create a stack once for all tests."""
    with FakeCloud() as cloud:
        deployment = Deployment(cloud, local_stack(cloud, tmp_path_factory.mktemp("stack")), {})
        deployment.create()
        yield deployment


@pytest.fixture
def deployment(stack: Deployment) -> Deployment:
    """Restore the stack to the state after its creation."""
    stack.put_back()
    return stack


def test_leftovers_are_named_by_up_and_deleted_by_recover(deployment: Deployment) -> None:
    before = deployment.holds()
    deployment.lose_from_state(("Instance", "demo1-redis"), ("SecGroupRule", "demo1-redis-tcp-6379-from-demo1-web"))
    refused(deployment.up(), f"server {REDIS}", "tcp 6379", "bin/idr recover --stack local", "state in use is file://")
    assert deployment.holds() == before
    for command in ("check", "drift"):
        assert REDIS in deployment.idr(command).stdout
    asked = deployment.idr("recover")
    assert (asked.returncode, deployment.holds()) == (1, before)
    assert f"delete: server {REDIS}" in asked.stdout
    done = deployment.idr("recover", "--yes")
    assert done.returncode == 0, done.stderr
    assert deployment.up().returncode == 0
    after = deployment.holds()
    assert {kind: len(ids) for kind, ids in after.items()} == {kind: len(ids) for kind, ids in before.items()}
    assert [kind for kind in after if after[kind] != before[kind]] == ["security-group-rules", "servers"]


def test_a_data_volume_is_adopted_and_neither_deleted_nor_created_twice(deployment: Deployment) -> None:
    volume = deployment.only("volumes", VOLUME)
    volume.update(status="available", attachments=[])
    deployment.only("servers", "idr-local-demo1-database")["attached"].clear()
    deployment.lose_from_state(("VolumeAttach", "demo1-database-db"), ("Volume", "demo1-database-db"))
    refused(deployment.up(), f"volume {VOLUME} ({volume['id']})")
    done = deployment.idr("recover", "--yes")
    assert "adopted" in done.stdout, done.stdout + done.stderr
    again = deployment.up()
    assert again.returncode == 0, again.stdout
    assert [one["id"] for one in deployment.cloud.store.all("volumes")] == [volume["id"]]
    refused(deployment.project.pulumi("destroy", "--yes", "--stack", STACK), "protect")


def test_a_person_without_the_teams_state_changes_nothing(deployment: Deployment) -> None:
    before = deployment.holds()
    state = deployment.project.folder / "state"
    shutil.rmtree(state)
    state.mkdir()
    assert deployment.project.pulumi("stack", "init", STACK).returncode == 0
    for done in (deployment.up(), deployment.idr("recover", "--yes"), deployment.idr("check")):
        refused(done, "this project holds an IDR 'local' that the state does not know", "5 servers", f"file://{state}")
    assert deployment.holds() == before


def test_another_projects_credentials_change_nothing(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    before, known = deployment.holds(), deployment.known()
    monkeypatch.setattr(identity, "PROJECT", "3" * 32)
    for done in (deployment.up(), deployment.idr("recover", "--yes"), deployment.idr("check"), deployment.idr("drift")):
        refused(done, "the stack 'local' is in project 1111", "these credentials are for project 3333")
    assert (deployment.holds(), deployment.known()) == (before, known)


def test_an_answer_without_the_data_volumes_is_not_their_end(deployment: Deployment) -> None:
    known = deployment.known()
    deployment.cloud.store._kinds["volumes"].clear()  # as Cinder answers when it has failed
    for done in (deployment.up(), deployment.idr("recover", "--yes")):
        refused(done, "the project does not hold what the state protects", "volume demo1-database-db")
    assert deployment.known() == known


def test_a_server_that_somebody_deleted_is_recreated_by_up_alone(deployment: Deployment) -> None:
    is_recreated(deployment, "demo1-database")


def is_recreated(deployment: Deployment, which: str) -> None:
    before = deployment.holds()
    deployment.delete_server(f"idr-local-{which}")
    for steps in ({"deleted from the project: `pulumi up` creates it again"}, {"unchanged"}):
        done = deployment.up()
        assert done.returncode == 0, done.stdout
        assert all(step in done.stdout for step in steps)
    assert deployment.only("servers", f"idr-local-{which}")
    after = deployment.holds()
    # The volumes, addresses and ports are the same ones.
    assert [kind for kind in before if before[kind] != after[kind]] == ["servers"]
    preview = deployment.project.pulumi("preview", "--expect-no-changes", "--stack", STACK)
    assert preview.returncode == 0, preview.stdout


@pytest.mark.parametrize("refresh", [[], ["--refresh"]])
def test_an_up_starts_a_server_that_is_switched_off_and_puts_its_metadata_back(
    deployment: Deployment, refresh: list[str]
) -> None:
    off = deployment.only("servers", REDIS)
    declared = dict(off["metadata"])
    off["status"] = "SHUTOFF"
    off["metadata"].update(idr_roles="redis,proxy", note="by hand")
    drift = deployment.idr("drift").stdout
    assert "switched off" in drift
    assert "metadata.idr_roles" in drift
    done = deployment.up(*refresh)
    assert done.returncode == 0, done.stdout
    assert "server demo1-redis is switched off and is started now" in done.stdout
    assert deployment.only("servers", REDIS)["status"] == "ACTIVE"
    assert deployment.only("servers", REDIS)["id"] == off["id"]
    assert deployment.only("servers", REDIS)["metadata"] == declared
    assert deployment.idr("drift").returncode == 0


@pytest.mark.parametrize("security", [True, False])
def test_an_up_puts_the_security_groups_of_a_port_back(deployment: Deployment, security: bool) -> None:
    port = deployment.only("ports", REDIS)
    declared = list(port["security_groups"])
    others = [deployment.only("security-groups", "default")["id"]] if security else []
    port.update(security_groups=others, port_security_enabled=security)
    drift = deployment.idr("drift")
    assert drift.returncode == 1
    assert "securityGroups" in drift.stdout
    done = deployment.up()
    assert done.returncode == 0, done.stdout
    assert "server demo1-redis: the security groups of its port were changed and are put back" in done.stdout
    port = deployment.only("ports", REDIS)
    assert (sorted(port["security_groups"]), port["port_security_enabled"]) == (sorted(declared), True)
    assert deployment.idr("drift").returncode == 0


def test_an_up_says_which_server_somebody_suspended(deployment: Deployment) -> None:
    server = deployment.only("servers", REDIS)
    server["status"] = "SUSPENDED"
    done = deployment.up()
    assert done.returncode == 0, done.stdout
    assert f"server demo1-redis is SUSPENDED and serves nobody: `openstack server resume {server['id']}`" in done.stdout
    drift = deployment.idr("drift")
    assert (drift.returncode, "is SUSPENDED" in drift.stdout) == (1, True)


def test_a_server_that_is_switched_off_and_replaced_is_not_started(deployment: Deployment) -> None:
    # `idr stop` advises to shut off a server whose services do not stop.
    off = deployment.only("servers", REDIS)
    off["status"] = "SHUTOFF"
    deployment.project.change(lambda config: config["idr:releases"]["demo1"].update(rebuild={"redis": 9}))
    done = deployment.up()
    assert done.returncode == 0, done.stdout
    assert "is started now" not in done.stdout
    assert deployment.only("servers", REDIS)["id"] != off["id"]


def test_a_server_that_is_there_and_not_listed_is_not_created_twice(deployment: Deployment) -> None:
    server = deployment.only("servers", REDIS)

    def forgetful(call: Call, service: Service) -> Answer:
        answer = service(call)
        if call.method == "GET" and call.path.endswith("/servers/detail"):
            servers = [one for one in answer.body["servers"] if one["id"] != server["id"]]
            return dataclasses.replace(answer, body={"servers": servers})
        return answer

    deployment.cloud.between = forgetful
    try:
        refused(deployment.up(), f"does not list server demo1-redis ({server['id']}), but it is there")
    finally:
        deployment.cloud.between = None


def lock_of(host: str, pid: int) -> str:
    return json.dumps({"pid": pid, "username": "anna", "hostname": host, "timestamp": "2026-01-15T09:12:44Z"})


def test_the_lock_of_an_update_that_runs_here_stays(deployment: Deployment, tmp_path: Path) -> None:
    # A process with the name of an engine.
    engine = shutil.copy("/bin/sleep", tmp_path / "pulumi")
    with subprocess.Popen([engine, "300"]) as running:
        file = deployment.lock(lock_of(socket.gethostname(), running.pid))
        refused(deployment.idr("recover", "--yes"), "is running: anna@", f"process {running.pid}")
        running.kill()
    assert file.exists()


def test_the_lock_of_an_update_elsewhere_is_asked_about(deployment: Deployment) -> None:
    is_asked_about(
        deployment, lock_of("laptop", 4711), "The state is locked by anna@laptop (process 4711) since 2026-01-15"
    )


def is_asked_about(deployment: Deployment, text: str, question: str) -> None:
    file = deployment.lock(text)
    asked = deployment.idr("recover")
    assert (asked.returncode, file.exists()) == (1, True)
    assert question in asked.stdout, asked.stdout + asked.stderr
    assert deployment.idr("recover", "--yes").returncode == 0
    assert not file.exists()


def test_the_lock_of_an_update_that_was_killed_here_needs_no_question(deployment: Deployment) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    file = deployment.lock(lock_of(socket.gethostname(), ended.pid))
    done = deployment.idr("recover")
    assert (done.returncode, file.exists()) == (0, False), done.stderr


def test_a_wrong_passphrase_is_noticed_before_the_lock_is_touched(deployment: Deployment) -> None:
    file = deployment.lock(lock_of(socket.gethostname(), 2**22 - 1))
    variables = {**deployment.project.variables, "PULUMI_CONFIG_PASSPHRASE": "wrong"}
    done = CloudProject(deployment.project.folder, variables).run(sys.executable, "-m", "idr", "recover", "-s", STACK)
    refused(done, "incorrect passphrase")
    assert file.exists()


def test_a_state_whose_metadata_a_kill_has_emptied_is_explained(deployment: Deployment) -> None:
    state = deployment.project.folder / "state"
    empty = state / ".pulumi" / "stacks" / "idr" / f"{STACK}.json.attrs"
    assert empty.with_suffix("").exists()
    empty.touch()
    command = [sys.executable, "-m", "idr", "recover", "--stack", STACK]
    variables = {**deployment.project.environment(), "PULUMI_BACKEND_URL": f"file://{state}"}
    done = subprocess.run(
        command, cwd=deployment.project.folder, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "delete .pulumi/stacks/idr/*.json.attrs there" in done.stderr
    empty.unlink()
    assert deployment.idr("recover").returncode == 0


def test_what_the_engine_does_not_compare_is_named_by_drift(deployment: Deployment) -> None:
    assert deployment.idr("drift").returncode == 0
    route = [{"destination": "10.9.0.0/16", "nexthop": "10.130.1.9"}]
    port = deployment.only("ports", REDIS)
    changes: dict[tuple[str, str], dict[str, Any]] = {
        ("networks", "idr-local-demo1"): {"shared": True, "port_security_enabled": False},
        ("subnets", "idr-local-demo1"): {"host_routes": route},
        ("routers", "idr-local"): {"routes": route},
        ("ports", REDIS): {"fixed_ips": [{**port["fixed_ips"][0], "ip_address": "10.130.1.199"}]},
        ("security-groups", "idr-local-demo1-redis"): {"stateful": False},
        ("volumes", VOLUME): {"volume_type": "slow"},
        ("servers", REDIS): {"image": {"id": "another"}},
    }
    for (kind, name), change in changes.items():
        deployment.only(kind, name).update(change)
    drift = json.loads(deployment.idr("drift", "--json").stdout)["resources"]
    found = {(one["type"], *one["properties"]) for one in drift if one["change"] == "changed by hand"}
    assert found == {
        ("network", "portSecurityEnabled", "shared"),
        ("subnet", "hostRoutes"),
        ("router", "routes"),
        ("port", "allFixedIps"),
        ("security group", "stateful"),
        ("volume", "volumeType"),
        ("server", "imageId"),
    }
