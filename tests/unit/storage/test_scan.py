"""The scan of the read-write node, on a real PostgreSQL with OMERO's columns and a tree with planted faults."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.debian import PackageError
from idr.storage.scan import __main__ as program
from idr.storage.scan import database as scanned
from idr.storage.scan.__main__ import scan
from idr.storage.scan.database import Database, DatabaseError
from idr.storage.scan.report import Report
from tests import omero_tree, postgres
from tests.omero_tree import Tree
from tests.postgres import Server

FILES, PLANTED = 600, 3


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with postgres.server() as running_server:
            yield running_server
    except PackageError as error:
        raise FileNotFoundError(2, "is not installed", "postgresql") from error


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return omero_tree.make(tmp_path_factory.mktemp("tree"), FILES, PLANTED)


@pytest.fixture
def database(server: Server, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Database:
    # A file that is a minute old can belong to a running import; the whole tree is that young.
    monkeypatch.setattr(program, "CLOCKS_SECONDS", -3600)
    return Database(tree.load(server))


def reported(database: Database, tree: Tree) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    out = io.StringIO()
    scan(database, tree.data, tree.cache, [tree.share], Report(out))
    *faults, end = map(json.loads, out.getvalue().splitlines())
    return [fault for fault in faults if "kind" in fault], end["report"]


def test_every_planted_fault_is_found_and_none_invented(database: Database, tree: Tree) -> None:
    faults, report = reported(database, tree)
    kinds_and_paths = [(fault["kind"], fault["path"]) for fault in faults]
    assert set(kinds_and_paths) == tree.faults
    assert len(kinds_and_paths) == len(set(kinds_and_paths))
    assert {kind for kind, _ in tree.faults} == set(report["faults"])
    assert {kind: sum(one == kind for one, _ in kinds_and_paths) for kind in report["faults"]} == {
        kind: sums["files"] for kind, sums in report["faults"].items()
    }


def test_studies_have_the_sizes_that_the_database_says(database: Database, tree: Tree) -> None:
    _, report = reported(database, tree)
    assert {name: [sums["files"], sums["bytes"]] for name, sums in report["studies"].items()} == tree.sizes
    assert len(tree.sizes) == omero_tree.STUDIES + 1


def test_a_report_has_the_sums_of_the_one_before(database: Database, tree: Tree) -> None:
    (tree.data / program.LAST).unlink(missing_ok=True)
    _, first = reported(database, tree)
    _, second = reported(database, tree)
    assert first["before"] is None
    assert second["before"] == {name: first[name] for name in ("taken", "studies", "faults")}


def test_what_is_new_is_not_unknown(database: Database, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "CLOCKS_SECONDS", 60)
    faults, _ = reported(database, tree)
    assert {fault["kind"] for fault in faults} == {kind for kind, _ in tree.faults} - {"unknown"}


def test_a_folder_that_is_not_mounted_is_no_thousand_broken_links(
    database: Database, tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--database", database.connection, "--data", str(tree.data), "--cache", str(tree.cache)]
    monkeypatch.setattr("sys.argv", ["scan", *given, "--share", str(tree.share)])
    assert program.main() == 1
    assert capsys.readouterr() == ("", f"no report: {tree.share} is not mounted\n")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("pixels", 'ERROR:  relation "pixels" does not exist'),
        ("originalfile", 'ERROR:  relation "originalfile" does not exist'),
    ],
)
def test_a_database_that_cannot_be_read_gives_no_report(
    database: Database, tree: Tree, server: Server, table: str, message: str
) -> None:
    reported(database, tree)
    server.query(f"drop table {table}")
    before = (tree.data / program.LAST).read_bytes()
    with pytest.raises(DatabaseError, match=message):
        reported(database, tree)
    assert (tree.data / program.LAST).read_bytes() == before


def test_the_database_waits_for_no_walk(database: Database, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL closes a connection whose reader pauses longer than `tcp_user_timeout`."""
    monkeypatch.setattr(scanned, "MEMOS", "select repeat('x', 1000), i from generate_series(1, 50000) i")
    rows = database.memos("")
    assert next(rows) == (b"x" * 1000, b"1")
    assert server.query("select count(*) from pg_stat_activity where query like 'copy%'").strip() == "0"
    assert sum(1 for _ in rows) == 49_999


def test_a_database_of_two_repositories_is_refused(database: Database, server: Server, tree: Tree) -> None:
    server.query("insert into originalfile values (-1, 'x', 'Repository', 'ManagedRepository', '/other/', 0, null)")
    with pytest.raises(DatabaseError, match="names 2 repositories called ManagedRepository, not one"):
        reported(database, tree)


def test_a_database_that_does_not_answer_is_one_line(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"^psql: error: connection to server .* failed"):
        reported(Database(f"host={tmp_path} connect_timeout=2"), tree)
