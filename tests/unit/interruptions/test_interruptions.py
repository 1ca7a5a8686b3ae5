"""Events are counted and named, an interruption is at one of them, and the table has each result."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.fake_cloud.http import Answer, Call, CutError
from tests.interruptions import ending, record, sweep
from tests.interruptions.faults import Fault, Interruption, are, changes, title
from tests.interruptions.processes import descendants
from tests.interruptions.record import Point

PORT = "one/public/network/v2.0/ports"
PROJECT = "1" * 32
DONE = Answer(201, {"port": {"id": "p"}})


def call(method: str, path: str) -> Call:
    return Call(method, "http://127.0.0.1", path, {}, {}, None)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "identity/v3/auth/tokens", "POST identity/auth/tokens"),
        ("POST", PORT, "POST network/ports"),
        ("PUT", f"{PORT}/6234a364-7487-4306-b856-0a37bce63109/tags", "PUT network/ports/tags"),
        ("GET", f"one/public/volume/v3/{PROJECT}/volumes/detail", "GET volume/volumes/detail"),
    ],
)
def test_a_request_is_named_without_versions_and_ids(method: str, path: str, name: str) -> None:
    assert title(call(method, path)) == name


def test_only_what_changes_the_project_is_an_event() -> None:
    assert changes(call("POST", PORT))
    assert changes(call("DELETE", PORT))
    assert not changes(call("GET", PORT))
    assert not changes(call("POST", "identity/v3/auth/tokens"))


@pytest.mark.parametrize(("fault", "done"), [(Fault.CUT_BEFORE, False), (Fault.CUT_AFTER, True)])
def test_an_answer_is_withheld_before_or_after_the_request_is_done(fault: Fault, done: bool) -> None:
    carried_out: list[Call] = []

    def service(given: Call) -> Answer:
        carried_out.append(given)
        return DONE

    interruption = Interruption(are("POST network/ports"), 2, fault.apply)
    assert interruption(call("POST", PORT), service) == DONE
    assert interruption(call("GET", PORT), service) == DONE
    with pytest.raises(CutError):
        interruption(call("POST", PORT), service)
    assert interruption(call("POST", PORT), service) == DONE
    assert len(carried_out) == (4 if done else 3)
    assert interruption.name == "POST network/ports"


def test_one_of_each_kind_of_request_is_the_one_in_the_middle() -> None:
    assert sweep.one_of_each(["a", "b", "a", "a", "b"]) == [3, 5]
    assert sweep.every(["a", "b"]) == [1, 2]


def test_an_end_with_something_left_over_gone_twice_or_lost_is_no_good_end() -> None:
    holding = {"n1": "network a", "n2": "network a", "v1": "volume db"}
    assert ending.faults(holding, {"n1", "n2", "v1"} - {"n2"} | {"s1"}, {"v1", "v2"}) == [
        "left over: network a",
        "the state has what is gone: s1",
        "twice: network a",
        "lost: volume v2",
    ]
    assert ending.faults({"v1": "volume db"}, {"v1"}, {"v1"}) == []


def test_points_are_kept_and_the_last_end_of_each_is_in_the_table(tmp_path: Path) -> None:
    file = tmp_path / "points"
    bad = Point("rebuild", "engine killed after", "DELETE compute/servers", 2, 4, False, ("left over: x",))
    good = Point("rebuild", "engine killed after", "DELETE compute/servers", 2, 4, True)
    record.add(file, bad)
    assert "0 of 1: left over: x" in record.page(record.read(file))
    record.add(file, good)
    page = record.page(record.read(file))
    assert "Points: 1, at 1 of 4 events. Ended well: 1." in page
    assert "| engine killed after | `DELETE compute/servers` | 2 | yes |" in page


def test_the_processes_that_a_process_has_started_are_found() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 30 & wait"]) as shell:
        while len(descendants(shell.pid)) < 1:
            pass
        (sleeping,) = descendants(shell.pid)
        assert shell.pid in descendants(os.getpid())
        shell.kill()
        os.kill(sleeping, 9)
