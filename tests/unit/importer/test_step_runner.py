"""The steps after an import: rendering settings, opened images, annotations; each once, wherever it is interrupted."""

import base64
import gzip
from pathlib import Path
from typing import Any

import pytest

from idr.importer.rows import Row
from tests.unit.importer.node import Node, until

pytestmark = pytest.mark.long

TABLE = "Plate,Well,Gene\nplate 1,A1,abc1\nplate 1,A2,abc2\n"
MAPS = ["plate 1,A1,abc1", "plate 1,A2,abc2"]
SETTINGS = {"channels": {"1": {"color": "FF0000"}}}
KEYS = {"columns": [{"name": "Gene", "include": True}, {"group": {"namespace": "x/gene", "columns": []}}]}
SCREEN = "Screen:name:idr0000/screenA"


def beside(table: str = TABLE, **others: Any) -> dict[str, Any]:
    return {"annotation": base64.b64encode(gzip.compress(table.encode())).decode(), "bulkmap-config": KEYS} | others


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node.make(tmp_path)


def run(
    node: Node, rows: list[Row], about: dict[str, Any], *, replace: bool = False, way: str = "inside"
) -> dict[str, Any]:
    """Let the same command run again, to its end; return its report."""
    (node.home / "pause").unlink(missing_ok=True)
    node.log_in()
    node.queue(rows, 4, about, replace=replace)
    node.work(way)
    return node.report()


def rows_of(node: Node, *names: str, target: str = SCREEN) -> list[Row]:
    return [Row(path, target) for path in node.images(*names)]


def tables(node: Node) -> list[str]:
    return [content for (content,) in node.query("select content from tables")]


def maps(node: Node) -> list[str]:
    return [content for (content,) in node.query("select content from annotations order by id")]


def states(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["kind"], step["of"], step["state"]) for step in report["following"]]


def test_new_plates_get_settings_and_their_screen_its_annotations_once(node: Node) -> None:
    rows = rows_of(node, "a", "b")
    for _ in range(2):
        report = run(node, rows, beside(renderdef=SETTINGS))
        assert report["state"] == "finished"
        assert states(report) == [
            ("rendering settings", rows[0].path, "done"),
            ("rendering settings", rows[1].path, "done"),
            ("annotations", "Screen:1", "done"),
        ]
        assert sorted(one for (one,) in node.query("select object from settings")) == ["Plate:1", "Plate:2"]
        assert (tables(node), maps(node)) == ([TABLE], MAPS)
        assert report["made"] == ["Screen:1", "Plate:1", "Plate:2"]
    assert node.query("select * from opened") == []


def test_images_without_settings_are_opened_once(node: Node) -> None:
    rows = rows_of(node, "a", target="Dataset:name:x")
    for _ in range(2):
        report = run(node, rows, {})
        assert states(report) == [("opened", rows[0].path, "done")]
        assert report["made"] == ["Dataset:1", "Image:1", "Image:2"]
    assert sorted(one for (one,) in node.query("select object from opened")) == ["Image:1", "Image:2"]


def test_images_of_many_rows_are_opened_by_few_processes(node: Node) -> None:
    """Each process takes seconds to start."""
    report = run(
        node, rows_of(node, *(f"{number:02}" for number in range(30)), target="Dataset:name:x"), {}, way="processes"
    )
    assert [step["state"] for step in report["following"]] == ["done"] * 30
    assert node.query("select count(distinct object), count(distinct process), count(*) from opened") == [(60, 2, 60)]


def folder_of(node: Node, *names: str) -> Row:
    (node.home / "images" / "many").mkdir()
    node.images(*(f"many/{name}" for name in names))
    return Row(str(node.home / "images" / "many"), "Dataset:name:x")


def test_images_that_were_opened_before_an_interruption_are_not_opened_again(node: Node) -> None:
    row = folder_of(node, *(f"{number:02}" for number in range(60)))
    (node.home / "pause").write_text("opening Image:105")
    node.queue([row], 1)
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    node.kill(worker)
    (node.home / "pause").unlink()
    assert node.work() == "list: finished\n"
    times = dict(node.query("select object, count(*) from opened group by object"))
    assert times == {f"Image:{number}": 2 if 100 < number < 105 else 1 for number in range(1, 121)}


def test_images_of_a_folder_that_this_import_did_not_make_are_left_as_they_are(node: Node) -> None:
    row = folder_of(node, "a", "b")
    node.query("insert into filesets (path) values (?)", f"{row.path}/a"[1:])
    node.query("insert into images (fileset) values (1)")
    node.query("insert into within values (1, 'Dataset:1')")
    for _ in range(2):
        run(node, [row], {"renderdef": SETTINGS})
        # Only the ledger records that this import created the fileset.
        assert sorted(node.query("select object from settings")) == [("Image:2",), ("Image:3",)]
        for ledger in node.import_folder.folder.glob("ledger*"):
            ledger.unlink()


def test_an_image_that_cannot_be_opened_fails_its_row_alone(node: Node) -> None:
    names = ("a", "closed", "b", "gone", "c")
    steps = run(node, rows_of(node, *names, target="Dataset:name:x"), {})["following"]
    assert [step["state"] for step in steps] == ["done", "failed", "done", "failed", "done"]
    first = "select path, min(i.id) from images i join filesets f on f.id = i.fileset group by path"
    images = {Path(path).name: number for path, number in node.query(first)}
    assert steps[1]["error"] == f"fail: Pixels:1 Image:{images['closed']} 0.2 java.io.IOException: no such file"
    assert steps[3]["error"] == f"Image:{images['gone']} was not opened: see the log"


@pytest.mark.parametrize(
    ("point", "of"),
    [("settings", "Plate:2"), ("before the table", "Screen:1"), ("table", "Screen:1"), ("maps", "Screen:1")],
)
def test_wherever_it_is_interrupted_nothing_is_there_twice(node: Node, point: str, of: str) -> None:
    rows = rows_of(node, "a", "b")
    (node.home / "pause").write_text(f"{point} {of}")
    node.queue(rows, 1, beside(renderdef=SETTINGS))
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    assert node.report()["state"] == "running"
    node.kill(worker)
    # After a boot of the node it continues.
    (node.home / "pause").unlink()
    assert node.work() == "list: finished\n"
    assert (tables(node), maps(node)) == ([TABLE], MAPS)
    assert sorted(one for (one,) in node.query("select object from settings")) == ["Plate:1", "Plate:2"]
    assert {state for _, _, state in states(node.report())} == {"done"}


def test_other_files_beside_the_list_take_the_place_of_the_former(node: Node) -> None:
    rows = rows_of(node, "a")
    run(node, rows, beside(renderdef=SETTINGS))
    other = TABLE.replace("abc1", "xyz1")
    run(node, rows, beside(other, renderdef={"channels": {"1": {"color": "00FF00"}}}))
    assert (tables(node), maps(node)) == ([other], ["plate 1,A1,xyz1", "plate 1,A2,abc2"])
    assert ["00FF00" in content for (content,) in node.query("select content from settings")] == [False, True]


def test_another_plate_of_the_screen_has_all_annotated_again(node: Node) -> None:
    run(node, rows_of(node, "a"), beside())
    report = run(node, rows_of(node, "a", "b"), beside())
    assert [step["state"] for step in report["following"]] == ["done", "done", "done"]
    assert (tables(node), maps(node)) == ([TABLE], MAPS)
    assert sorted(one for (one,) in node.query("select object from opened")) == ["Plate:1", "Plate:2"]


def test_annotations_wait_for_every_row(node: Node) -> None:
    good, broken = rows_of(node, "a", "broken")
    report = run(node, [good, broken], beside())
    assert states(report) == [("opened", good.path, "done")]
    assert report["annotationsWait"]
    assert tables(node) == []
    report = run(node, [good], beside())
    assert not report["annotationsWait"]
    assert (tables(node), maps(node)) == ([TABLE], MAPS)


def test_annotations_of_somebody_else_stay_unless_they_are_to_be_replaced(node: Node) -> None:
    rows = rows_of(node, "a")
    node.query("insert into tables (container, content) values ('Screen:1', 'theirs')")
    (*_, step) = run(node, rows, beside())["following"]
    assert step["state"] == "failed"
    assert step["error"].startswith("Screen:1 has annotations that this import did not make")
    assert (tables(node), maps(node)) == (["theirs"], [])
    run(node, rows, beside(), replace=True)
    assert (tables(node), maps(node)) == ([TABLE], MAPS)


def test_what_was_there_before_the_import_is_left_as_it_is(node: Node) -> None:
    """A user may have chosen its settings by hand. Annotations are of the whole container."""
    (row,) = rows_of(node, "a")
    node.query("insert into filesets (path) values (?)", row.path[1:])
    node.query("insert into images (fileset) values (1)")
    node.query("insert into within values (1, 'Screen:1')")
    assert states(run(node, [row], beside(renderdef=SETTINGS))) == [("annotations", "Screen:1", "done")]
    assert node.query("select * from settings") == []


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({}, "fail: Pixels:1 Image:1 0.2 java.io.IOException: no such file"),
        ({"renderdef": SETTINGS}, "ERROR: could not be saved"),
    ],
)
def test_a_step_that_fails_says_why_and_is_done_by_the_next_run(node: Node, about: dict[str, Any], why: str) -> None:
    """Both commands end with 0."""
    rows = rows_of(node, "a", "closed")
    good, bad = run(node, rows, about)["following"]
    assert (good["state"], bad["state"], bad["error"]) == ("done", "failed", why)
    assert why in Path(bad["log"]).read_text()
    node.query("update filesets set path = 'images/now' where path like '%closed'")
    (row,) = rows_of(node, "a")
    assert [step["state"] for step in run(node, [row], about)["following"]] == ["done"]


def test_settings_that_somebody_else_gives_are_not_done(node: Node) -> None:
    """The command saves nothing that visitors see, and ends with 0."""
    rows = rows_of(node, "a")
    (node.home / "owner").write_text("curator")
    (step,) = run(node, rows, {"renderdef": SETTINGS})["following"]
    assert step["state"] == "failed"
    assert step["error"] == (
        "these images are curator's, and visitors do not see the rendering settings that demo gives them: log in as "
        "curator (--user)"
    )
    (node.home / "owner").write_text("demo")
    (step,) = run(node, rows, {"renderdef": SETTINGS})["following"]
    assert step["state"] == "done"


def test_annotations_that_are_of_nothing_there_are_named(node: Node) -> None:
    (*_, step) = run(node, rows_of(node, "a"), beside(TABLE + "no plate,A1,x\n"))["following"]
    assert step["state"] == "done"
    assert step["error"] == "the container has no no plate, which the annotations name"


def test_it_halts_when_many_steps_in_a_row_fail(node: Node) -> None:
    rows = rows_of(node, *(f"closed{number:02}" for number in range(14)))
    node.queue(rows, 1)
    assert "10 steps in a row failed, the last one: fail: Pixels:1" in node.work()
    assert sum(step["state"] == "failed" for step in node.report()["following"]) == 10


def test_a_session_that_ends_is_no_fault_of_a_step(node: Node) -> None:
    rows = rows_of(node, "a", "b")
    (node.home / "pause").write_text("settings Plate:1")
    node.queue(rows, 1, beside(renderdef=SETTINGS))
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    (node.import_folder.sessions / "alive").unlink()
    (node.home / "go").touch()
    assert "the session has ended" in worker.communicate(timeout=60)[0]
    assert [step["state"] for step in node.report()["following"]] == ["done", "started", "waiting"]
    report = run(node, rows, beside(renderdef=SETTINGS))
    assert (report["state"], tables(node), maps(node)) == ("finished", [TABLE], MAPS)


def test_a_stopped_import_goes_on_with_what_follows(node: Node) -> None:
    rows = rows_of(node, "a")
    (node.home / "pause").write_text("maps Screen:1")
    node.queue(rows, 1, beside())
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    node.import_folder.run.unlink()
    node.kill(worker)
    report = node.report()
    assert (report["state"], report["secondsLeft"]) != ("finished", 0.0)
    run(node, rows, beside())
    assert (tables(node), maps(node)) == ([TABLE], MAPS)
