"""Cloud and state that do not agree, on the fake cloud: what `up` refuses, and what `idr recover` does about it."""

import dataclasses
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.recovery import REDIS, VOLUME, Place, refused
from tests.fake_cloud import identity
from tests.fake_cloud.cloud import FakeCloud, Service
from tests.fake_cloud.http import Answer, Call
from tests.fake_cloud.project import STACK, CloudProject, local_stack

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A stack that was made once."""
    with FakeCloud() as cloud:
        place = Place(cloud, local_stack(cloud, tmp_path_factory.mktemp("stack")), {})
        done = place.up()
        assert done.returncode == 0, done.stdout + done.stderr
        place.keep()
        yield place


@pytest.fixture
def place(stack: Place) -> Place:
    """The stack as it was made."""
    stack.put_back()
    return stack


def test_leftovers_are_named_by_up_and_deleted_by_recover(place: Place) -> None:
    before = place.holds()
    place.lose_from_state(("Instance", "demo1-redis"), ("SecGroupRule", "demo1-redis-tcp-6379-from-demo1-web"))
    refused(place.up(), f"server {REDIS}", "tcp 6379", "bin/idr recover --stack local", "state in use is file://")
    assert place.holds() == before
    for command in ("check", "drift"):
        assert REDIS in place.idr(command).stdout
    asked = place.idr("recover")
    assert (asked.returncode, place.holds()) == (1, before)
    assert f"delete: server {REDIS}" in asked.stdout
    done = place.idr("recover", "--yes")
    assert done.returncode == 0, done.stderr
    assert place.up().returncode == 0
    after = place.holds()
    assert {kind: len(ids) for kind, ids in after.items()} == {kind: len(ids) for kind, ids in before.items()}
    assert [kind for kind in after if after[kind] != before[kind]] == ["security-group-rules", "servers"]


def test_a_data_volume_is_adopted_and_neither_deleted_nor_made_twice(place: Place) -> None:
    volume = place.only("volumes", VOLUME)
    volume.update(status="available", attachments=[])
    place.only("servers", "idr-local-demo1-database")["attached"].clear()
    place.lose_from_state(("VolumeAttach", "demo1-database-db"), ("Volume", "demo1-database-db"))
    refused(place.up(), f"volume {VOLUME} ({volume['id']})")
    done = place.idr("recover", "--yes")
    assert "adopted" in done.stdout, done.stdout + done.stderr
    again = place.up()
    assert again.returncode == 0, again.stdout
    assert [one["id"] for one in place.cloud.store.all("volumes")] == [volume["id"]]
    refused(place.project.pulumi("destroy", "--yes", "--stack", STACK), "protect")


def test_a_person_without_the_teams_state_changes_nothing(place: Place) -> None:
    before = place.holds()
    state = place.project.folder / "state"
    shutil.rmtree(state)
    state.mkdir()
    assert place.project.pulumi("stack", "init", STACK).returncode == 0
    for done in (place.up(), place.idr("recover", "--yes"), place.idr("check")):
        refused(done, "this project holds an IDR 'local' that the state does not know", "5 servers", f"file://{state}")
    assert place.holds() == before


def test_another_projects_credentials_change_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before, known = place.holds(), place.known()
    monkeypatch.setattr(identity, "PROJECT", "3" * 32)
    for done in (place.up(), place.idr("recover", "--yes"), place.idr("check"), place.idr("drift")):
        refused(done, "the stack 'local' is in project 1111", "these credentials are for project 3333")
    assert (place.holds(), place.known()) == (before, known)


def test_an_answer_without_the_data_volumes_is_not_their_end(place: Place) -> None:
    known = place.known()
    place.cloud.store._kinds["volumes"].clear()  # what an ill Cinder would say
    for done in (place.up(), place.idr("recover", "--yes")):
        refused(done, "the project does not hold what the state protects", "volume demo1-database-db")
    assert place.known() == known


def test_a_server_that_somebody_deleted_is_made_anew_by_up_alone(place: Place) -> None:
    is_made_anew(place, "demo1-database")


def is_made_anew(place: Place, which: str) -> None:
    before = place.holds()
    place.delete_server(f"idr-local-{which}")
    for steps in ({"deleted from the project: `pulumi up` creates it again"}, {"unchanged"}):
        done = place.up()
        assert done.returncode == 0, done.stdout
        assert all(step in done.stdout for step in steps)
    assert place.only("servers", f"idr-local-{which}")
    after = place.holds()
    # The volumes, addresses and ports are the same ones.
    assert [kind for kind in before if before[kind] != after[kind]] == ["servers"]
    preview = place.project.pulumi("preview", "--expect-no-changes", "--stack", STACK)
    assert preview.returncode == 0, preview.stdout


@pytest.mark.parametrize("refresh", [[], ["--refresh"]])
def test_an_up_starts_a_server_that_is_switched_off_and_puts_its_metadata_back(
    place: Place, refresh: list[str]
) -> None:
    off = place.only("servers", REDIS)
    declared = dict(off["metadata"])
    off["status"] = "SHUTOFF"
    off["metadata"].update(idr_roles="redis,proxy", note="by hand")
    drift = place.idr("drift").stdout
    assert "switched off" in drift
    assert "metadata.idr_roles" in drift
    done = place.up(*refresh)
    assert done.returncode == 0, done.stdout
    assert "server demo1-redis is switched off and is started now" in done.stdout
    assert place.only("servers", REDIS)["status"] == "ACTIVE"
    assert place.only("servers", REDIS)["id"] == off["id"]
    assert place.only("servers", REDIS)["metadata"] == declared
    assert place.idr("drift").returncode == 0


@pytest.mark.parametrize("security", [True, False])
def test_an_up_puts_the_security_groups_of_a_port_back(place: Place, security: bool) -> None:
    port = place.only("ports", REDIS)
    declared = list(port["security_groups"])
    others = [place.only("security-groups", "default")["id"]] if security else []
    port.update(security_groups=others, port_security_enabled=security)
    drift = place.idr("drift")
    assert drift.returncode == 1
    assert "securityGroups" in drift.stdout
    done = place.up()
    assert done.returncode == 0, done.stdout
    assert "server demo1-redis: the security groups of its port were changed and are put back" in done.stdout
    port = place.only("ports", REDIS)
    assert (sorted(port["security_groups"]), port["port_security_enabled"]) == (sorted(declared), True)
    assert place.idr("drift").returncode == 0


def test_an_up_says_which_server_somebody_suspended(place: Place) -> None:
    server = place.only("servers", REDIS)
    server["status"] = "SUSPENDED"
    done = place.up()
    assert done.returncode == 0, done.stdout
    assert f"server demo1-redis is SUSPENDED and serves nobody: `openstack server resume {server['id']}`" in done.stdout
    drift = place.idr("drift")
    assert (drift.returncode, "is SUSPENDED" in drift.stdout) == (1, True)


def test_a_server_that_is_switched_off_and_replaced_is_not_started(place: Place) -> None:
    # `idr.stop` advises to switch a server off whose services do not stop.
    off = place.only("servers", REDIS)
    off["status"] = "SHUTOFF"
    place.project.change(lambda config: config["idr:releases"]["demo1"].update(rebuild={"redis": 9}))
    done = place.up()
    assert done.returncode == 0, done.stdout
    assert "is started now" not in done.stdout
    assert place.only("servers", REDIS)["id"] != off["id"]


def test_a_server_that_is_there_and_not_listed_is_not_made_twice(place: Place) -> None:
    server = place.only("servers", REDIS)

    def forgetful(call: Call, service: Service) -> Answer:
        answer = service(call)
        if call.method == "GET" and call.path.endswith("/servers/detail"):
            servers = [one for one in answer.body["servers"] if one["id"] != server["id"]]
            return dataclasses.replace(answer, body={"servers": servers})
        return answer

    place.cloud.between = forgetful
    try:
        refused(place.up(), f"does not list server demo1-redis ({server['id']}), but it is there")
    finally:
        place.cloud.between = None


def lock_of(host: str, pid: int) -> str:
    return json.dumps({"pid": pid, "username": "anna", "hostname": host, "timestamp": "2026-01-15T09:12:44Z"})


def test_the_lock_of_an_update_that_runs_here_stays(place: Place, tmp_path: Path) -> None:
    # A process with an engine's name.
    engine = shutil.copy("/bin/sleep", tmp_path / "pulumi")
    with subprocess.Popen([engine, "300"]) as running:
        file = place.lock(lock_of(socket.gethostname(), running.pid))
        refused(place.idr("recover", "--yes"), "is running: anna@", f"process {running.pid}")
        running.kill()
    assert file.exists()


def test_the_lock_of_an_update_elsewhere_is_asked_about(place: Place) -> None:
    is_asked_about(place, lock_of("laptop", 4711), "The state is locked by anna@laptop (process 4711) since 2026-01-15")


def is_asked_about(place: Place, text: str, question: str) -> None:
    file = place.lock(text)
    asked = place.idr("recover")
    assert (asked.returncode, file.exists()) == (1, True)
    assert question in asked.stdout, asked.stdout + asked.stderr
    assert place.idr("recover", "--yes").returncode == 0
    assert not file.exists()


def test_the_lock_of_an_update_that_was_killed_here_needs_no_question(place: Place) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    file = place.lock(lock_of(socket.gethostname(), ended.pid))
    done = place.idr("recover")
    assert (done.returncode, file.exists()) == (0, False), done.stderr


def test_a_wrong_passphrase_is_noticed_before_the_lock_is_touched(place: Place) -> None:
    file = place.lock(lock_of(socket.gethostname(), 2**22 - 1))
    variables = {**place.project.variables, "PULUMI_CONFIG_PASSPHRASE": "wrong"}
    done = CloudProject(place.project.folder, variables).run(sys.executable, "-m", "idr", "recover", "-s", STACK)
    refused(done, "incorrect passphrase")
    assert file.exists()


def test_a_state_whose_metadata_a_kill_has_emptied_is_explained(place: Place) -> None:
    state = place.project.folder / "state"
    empty = state / ".pulumi" / "stacks" / "idr" / f"{STACK}.json.attrs"
    assert empty.with_suffix("").exists()
    empty.touch()
    command = [sys.executable, "-m", "idr", "recover", "--stack", STACK]
    variables = {**place.project.environment(), "PULUMI_BACKEND_URL": f"file://{state}"}
    done = subprocess.run(
        command, cwd=place.project.folder, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "delete .pulumi/stacks/idr/*.json.attrs there" in done.stderr
    empty.unlink()
    assert place.idr("recover").returncode == 0
