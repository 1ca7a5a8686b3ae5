"""Imports on the node: nothing twice and nothing missing, wherever they are interrupted."""

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from idr.importer import import_folder, worker
from idr.importer.database import Database
from idr.importer.import_folder import Settings
from idr.importer.ledger import Ledger
from idr.importer.rows import Row
from tests.unit.importer.node import Node, until

pytestmark = pytest.mark.long

ONCE = (1, 2)
"""One fileset with both of its images."""


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node.make(tmp_path)


def pause(node: Node, point: str, path: str) -> None:
    (node.home / "paused").unlink(missing_ok=True)
    (node.home / "pause").write_text(f"{point} {path}")


def test_a_list_is_imported_and_its_session_ends(node: Node) -> None:
    paths = node.images("a.tiff", "b c's.tiff")
    node.queue([Row(path, "Dataset:name:x", {"name": f"-{number}"}) for number, path in enumerate(paths)])
    assert node.work("processes") == "list: finished\n"
    assert node.counts() == dict.fromkeys(paths, ONCE)
    done = node.report()
    assert (done["state"], done["done"], done["images"], done["secondsLeft"]) == ("finished", 2, 4, 0.0)
    assert sorted(one["filesets"] for one in done["each"]) == [[1], [2]]
    assert not (node.import_folder.sessions / "alive").exists()


def test_a_thousand_rows_interrupted_at_five_points_are_imported_once(node: Node) -> None:
    paths = node.images(*(f"{number:04}.tiff" for number in range(1000)))
    rows = [Row(path, f"Dataset:name:{number % 7}") for number, path in enumerate(paths)]
    for number, point in enumerate(("before", "fileset", "images"), 1):
        pause(node, point, paths[150 * number])
        node.queue(rows, parallel=8)
        worker = node.start("inside")
        until(lambda: (node.home / "paused").exists())
        node.kill(worker)
    (node.home / "pause").unlink()
    # The fourth: a machine that lost power, and wrote half a line.
    worker = node.start("inside")
    until(lambda: len(node.counts()) > 600)
    node.kill(worker)
    ledger = node.import_folder.folder / "ledger"
    ledger.write_bytes(ledger.read_bytes()[:-9])
    # The fifth: the unit is stopped.
    worker = node.start("inside")
    until(lambda: len(node.counts()) > 800)
    node.kill(worker, signal.SIGTERM)
    assert node.report()["state"] == "running"
    assert len(node.counts()) < 1000
    assert node.start("inside").communicate(timeout=120)[0] == "list: finished\n"
    assert node.counts() == dict.fromkeys(paths, ONCE)
    assert sorted(node.query("select name from targets")) == [(f"Dataset:name:{number}",) for number in range(7)]
    done = node.report()
    assert (done["done"], done["images"], done["state"]) == (1000, 2000, "finished")


def test_without_its_ledger_nothing_is_imported_twice(node: Node) -> None:
    paths = node.images("a.tiff", "b.tiff")
    node.queue([Row(path) for path in paths])
    node.work()
    (node.import_folder.folder / "ledger").unlink()
    node.log_in()
    node.queue([Row(path) for path in paths])
    node.work()
    assert node.counts() == dict.fromkeys(paths, ONCE)
    assert node.report()["images"] == 4


def test_a_row_that_fails_is_tried_again_with_the_next_run(node: Node) -> None:
    good, broken = node.images("good.tiff", "broken.tiff")
    node.queue([Row(good), Row(broken)])
    node.work()
    (entry,) = (one for one in node.report()["each"] if one["path"] == broken)
    assert entry["error"] == "Caused by: loci.formats.FormatException: no pixels"
    assert "INTERNAL_EXCEPTION" in Path(entry["log"]).read_text()
    assert node.report()["state"] == "finished"
    # The remains of the failed import would make the importer leave the row out.
    node.log_in()
    node.queue([Row(good), Row(broken)])
    node.work()
    assert node.counts() == {good: ONCE, broken: (1, 0)}
    assert node.query("select max(id) from filesets") == [(3,)]


def test_what_somebody_else_is_importing_is_not_deleted(node: Node) -> None:
    (path,) = node.images("a.tiff")
    node.query("insert into filesets (path) values (?)", path[1:])
    for _ in range(2):
        node.log_in()
        node.queue([Row(path)])
        node.work()
        assert node.counts() == {path: (1, 0)}
        assert "OMERO has Fileset:1 of this path without images" in node.report()["each"][0]["error"]


def test_an_importer_that_is_killed_is_told_from_one_that_fails(node: Node) -> None:
    (path,) = node.images("a.tiff")
    node.queue([Row(path)])
    pause(node, "fileset", path)
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    os.kill(int((node.home / "paused").read_text()), signal.SIGKILL)
    assert worker.communicate(timeout=60)[0] == "list: finished\n"
    assert node.report()["each"][0]["error"] == "it was ended before it said anything"
    assert node.counts() == {path: (1, 0)}


@pytest.mark.parametrize("point", ["fileset", "images"])
def test_a_folder_that_was_cut_off_is_completed(node: Node, point: str) -> None:
    """OMERO has some of its filesets, one of them without images, and not all."""
    folder = node.home / "images" / "plate"
    folder.mkdir()
    files = node.images(*(f"plate/{name}.tiff" for name in "abc"))
    node.queue([Row(str(folder))])
    pause(node, point, files[1])
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    node.kill(worker)
    assert node.counts() == {files[0]: ONCE, files[1]: (1, 0 if point == "fileset" else 2)}
    (node.home / "pause").unlink()
    node.work()
    assert node.counts() == dict.fromkeys(files, ONCE)
    (done,) = node.report()["each"]
    assert (done["state"], done["images"], len(done["filesets"])) == ("done", 6, 3)


def test_it_halts_when_the_session_has_ended_and_goes_on_with_a_new_one(node: Node) -> None:
    paths = node.images("a.tiff", "b.tiff")
    node.queue([Row(path) for path in paths])
    (node.import_folder.sessions / "alive").unlink()
    assert "the session has ended: run the same command again" in node.work()
    assert (node.report()["state"], node.counts()) == ("halted", {})
    node.log_in()
    node.queue([Row(path) for path in paths])
    node.work()
    assert node.counts() == dict.fromkeys(paths, ONCE)


def test_it_halts_when_the_server_stays_away_and_keeps_the_session(node: Node) -> None:
    (path,) = node.images("a.tiff")
    node.queue([Row(path)])
    (node.home / "server-away").touch()
    assert "OMERO.server does not answer" in node.work()
    (node.home / "server-away").unlink()
    node.queue([Row(path)])
    assert node.work() == "list: finished\n"
    assert node.counts() == {path: ONCE}


def test_it_does_not_wait_for_a_session_that_has_ended(node: Node) -> None:
    node.queue([Row(path) for path in node.images("a.tiff")])
    (node.import_folder.sessions / "alive").unlink()
    assert "the session has ended" in node.start(patience=600).communicate(timeout=60)[0]


def test_it_waits_for_a_server_that_starts(node: Node) -> None:
    (path,) = node.images("a.tiff")
    node.queue([Row(path)])
    (node.home / "server-away").touch()
    worker = node.start(patience=60)
    until(lambda: (node.home / "asked").exists())
    assert node.counts() == {}
    (node.home / "server-away").unlink()
    assert worker.communicate(timeout=60)[0] == "list: finished\n"
    assert node.counts() == {path: ONCE}


def test_a_session_that_ends_meanwhile_is_no_fault_of_a_row(node: Node) -> None:
    (path,) = node.images("a.tiff")
    pause(node, "before", path)
    node.queue([Row(path)])
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    (node.import_folder.sessions / "alive").unlink()
    node.kill(worker)
    (node.home / "pause").unlink()
    node.work()
    assert node.report()["failed"] == 0


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("size", str(9 << 30), "the database has 9 GiB, its volume 10: enlarge it (volumes.db.sizeGib)"),
        ("away", "", "the database does not answer: psql: error: connection to server failed: Connection refused"),
    ],
)
def test_it_halts_before_the_database_is_full_or_when_it_is_away(node: Node, file: str, text: str, why: str) -> None:
    node.queue([Row(path) for path in node.images("a.tiff")])
    (node.home / file).write_text(text)
    assert node.work() == f"list: halted: {why}\n"
    assert (node.report()["state"], node.report()["why"], node.counts()) == ("halted", why, {})


def test_it_halts_when_many_rows_in_a_row_fail(node: Node) -> None:
    paths = node.images(*(f"broken{number:02}" for number in range(15)))
    node.queue([Row(path) for path in paths], parallel=1)
    assert "10 rows in a row failed" in node.work()
    assert len(node.counts()) == 10


def test_stopped_it_ends_what_has_begun_and_begins_no_more(node: Node) -> None:
    paths = node.images(*(f"{number:03}" for number in range(50)))
    node.queue([Row(path) for path in paths], parallel=1)
    worker = node.start()
    until(lambda: len(node.counts()) > 3)
    node.import_folder.run.unlink()
    worker.communicate(timeout=60)
    assert set(node.counts().values()) == {ONCE}
    assert len(node.counts()) < 50
    assert node.report()["state"] == "stopped"


def test_an_importer_that_makes_nothing_has_failed_whatever_its_exit_status(node: Node) -> None:
    folder = node.home / "images" / "plate"
    folder.mkdir()
    node.images("plate/a.tiff")
    node.queue([Row(str(folder))])
    (folder / "a.tiff").unlink()
    node.work()
    (row,) = node.report()["each"]
    assert (row["state"], row["error"]) == ("failed", "the importer made nothing: 0 filesets created, 0 errors")


def test_what_was_deleted_in_omero_is_imported_again(node: Node) -> None:
    kept, deleted = node.images("kept.tiff", "deleted.tiff")
    for _ in range(2):
        node.log_in()
        node.queue([Row(kept), Row(deleted)])
        node.work()
        assert node.counts() == {kept: ONCE, deleted: ONCE}
        (row,) = (one for one in node.report()["each"] if one["path"] == deleted)
        for fileset in row["filesets"]:
            node.query("delete from images where fileset = ?", str(fileset))
            node.query("delete from filesets where id = ?", str(fileset))
    assert node.query("select count(*) from filesets where path = ?", kept[1:]) == [(1,)]


def test_a_file_and_its_folder_are_not_imported_at_once(node: Node) -> None:
    """Each importer would see that OMERO has none of it yet."""
    folder = node.home / "images" / "plate"
    folder.mkdir()
    (file,) = node.images("plate/a.tiff")
    node.queue([Row(str(folder)), Row(file)])
    pause(node, "looked", file)
    worker = node.start()
    until(lambda: (node.home / "paused").exists())
    time.sleep(1)
    (node.home / "pause").unlink()
    (node.home / "go").touch()
    assert worker.communicate(timeout=60)[0] == "list: finished\n"
    assert node.counts() == {file: ONCE}
    assert node.report()["done"] == 2


def test_a_reason_to_halt_is_not_lost_while_the_disks_are_looked_at(node: Node) -> None:
    node.queue([Row(path) for path in node.images("a.tiff")])

    class Slow(Database):
        def size(self) -> int:
            looking._halted = "a row has seen that OMERO is away"
            return 0

    settings = Settings("192.0.2.1", (), (), "", 10)
    looking = worker.Worker(node.import_folder, settings, Slow("", node.home / "password"), print)
    with node.played():
        assert not looking._may_begin()
        assert not looking._may_begin()


def test_a_disk_that_is_full_at_once_stops_the_import(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written then, not even the reason."""
    node.queue([Row(path) for path in node.images("a.tiff")])

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Ledger, "record", full)
    monkeypatch.setattr(import_folder, "_replace", full)
    assert "No space left on device" in node.work()
    assert node.report()["state"] == "stopped"
