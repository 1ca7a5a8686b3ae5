"""Answers of a real PostgreSQL, with the tables of OMERO's schema that are used."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from idr.importer.database import Database, DatabaseError, Known, client_path
from idr.importer.steps import FilesetContents
from tests import postgres

# As in OMERO's schema, without unused columns.
SCHEMA = """
create table filesetentry (id bigint primary key, clientpath text not null, fileset bigint not null);
create table experimenter (id bigint primary key, omename text not null);
create table fileset (id bigint primary key, owner_id bigint not null);
create table image (id bigint primary key, fileset bigint);
create table well (id bigint primary key, plate bigint not null);
create table wellsample (id bigint primary key, image bigint, well bigint not null);
create table screenplatelink (id bigint primary key, parent bigint not null, child bigint not null);
create table datasetimagelink (id bigint primary key, parent bigint not null, child bigint not null);
create table projectdatasetlink (id bigint primary key, parent bigint not null, child bigint not null);
create table annotation (id bigint primary key, ns text);
create table screenannotationlink (id bigint primary key, parent bigint not null, child bigint not null);
insert into filesetentry values
  (1, 'data/a.tiff', 1), (2, 'data/b.tiff', 2),
  (3, 'data/plate/A1.tiff', 3), (4, 'data/plate/A2.tiff', 3), (5, 'data/plate/B.tiff', 4), (6, 'data/plate2/A.tiff', 5),
  (7, 'data/it''s \xe9 100%_.tiff', 6), (8, 'data/a.tiff', 7);
insert into image values (1, 1), (2, 1), (3, 3), (4, 3), (5, 3), (6, 5), (7, 6), (8, 8), (9, 8), (10, 9), (11, 9);
insert into experimenter values (1, 'demo'), (2, 'curator'), (3, 'nobody');
insert into fileset values (1, 1), (3, 1), (5, 2), (6, 3), (8, 2), (9, 1);
insert into well values (1, 21), (2, 21), (3, 22);
insert into wellsample values (1, 3, 1), (2, 4, 1), (3, 5, 2), (4, 6, 3);
insert into screenplatelink values (1, 31, 21);
insert into datasetimagelink values (1, 41, 8), (2, 41, 9), (3, 42, 10);
insert into projectdatasetlink values (1, 51, 41);
insert into annotation values (1, 'openmicroscopy.org/omero/bulk_annotations'), (2, 'other'), (3, null);
insert into screenannotationlink values (1, 31, 1), (2, 31, 2), (3, 32, 2), (4, 32, 3);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.server() as running_server:
        running_server.query(SCHEMA)
        yield running_server


@pytest.fixture
def database(server: postgres.Server, tmp_path: Path) -> Database:
    password = tmp_path / "password"
    password.write_text(server.password_file.read_text().rpartition(":")[2])
    where = f"host=127.0.0.1 port={server.port} user={postgres.ROLE} dbname={postgres.DATABASE} sslmode=disable"
    return Database(where, password)


def test_filesets_are_found_by_path_or_below_a_folder(database: Database) -> None:
    asked = {"/data/a.tiff": False, "/data/b.tiff": False, "/data/c.tiff": False, "/data/plate": True, "/data/p": True}
    assert database.known(asked) == {
        "/data/a.tiff": Known([1], 2, [7]),
        "/data/b.tiff": Known([], 0, [2]),
        "/data/plate": Known([3], 3, [4]),
    }


def test_filesets_are_plates_or_images_in_their_outermost_containers(database: Database) -> None:
    assert database.contents([8, 3, 5, 9, 1, 3, 99]) == {
        1: FilesetContents(("Image:1", "Image:2"), ()),
        3: FilesetContents(("Plate:21",), ("Screen:31",)),
        5: FilesetContents(("Plate:22",), ("Plate:22",)),
        8: FilesetContents(("Image:8", "Image:9"), ("Project:51",), ("Dataset:41",)),
        9: FilesetContents(("Image:10", "Image:11"), ("Dataset:42",), ("Dataset:42",)),
    }
    assert database.contents([]) == {}


def test_a_container_with_a_table_is_annotated(database: Database) -> None:
    assert [database.is_annotated(f"Screen:{number}") for number in (31, 32, 33)] == [True, False, False]


def test_who_has_imported_plates_and_images_is_known(database: Database) -> None:
    assert database.owners(["Plate:21", "Image:1"]) == ["demo"]
    assert database.owners(["Plate:22", "Image:10", "Image:999"]) == ["curator", "demo"]


def test_names_are_asked_as_they_are(database: Database) -> None:
    name = "/data/it's é 100%_.tiff"
    assert database.known({name: False, "/data/it's é 1000_.tiff": False}) == {name: Known([6], 1, [])}
    assert database.known({}) == {}


def test_many_paths_are_one_question(database: Database) -> None:
    asked = {f"/data/{'x' * 200}/{number}.tiff": False for number in range(5000)} | {"/data/b.tiff": False}
    assert list(database.known(asked)) == ["/data/b.tiff"]


def test_the_size_is_that_of_the_database(database: Database) -> None:
    assert database.size() > 1 << 20


def test_a_database_that_is_away_says_so(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    with pytest.raises(DatabaseError, match=r"the database does not answer: .*No such file or directory"):
        Database(f"host={tmp_path} dbname=idr", tmp_path / "password").size()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/uod/idr/a b.tiff", "uod/idr/a b.tiff"),
        ("/a/x:y*?.tiff", "a/x;yx%.tiff"),
        ('/a/"<b>|\\', "a/'[b]!!"),
        ("/con/aux.txt/$a/b\tc", "con_/_aux.txt/_$a/b_c"),
    ],
)
def test_a_path_as_omero_keeps_it(path: str, kept: str) -> None:
    assert client_path(path) == kept, json.dumps(kept)
