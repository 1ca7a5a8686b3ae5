"""The guide's commands that move the database to another site, between two PostgreSQL servers."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stacks import ROOT
from tests import postgres
from tests.postgres import ROLE, Server

ACTIVATE = (ROOT / "cloudinit" / "database" / "scripts" / "activate").read_text()
RIGHTS = (
    r"\set omero one" + "\n" + r"\set omeroreadonly two" + "\n" + ACTIVATE.split("<< 'SQL'\n")[1].split("\nSQL\n")[0]
)
# Like OMERO's schema: a domain, a table of its type, sequences, links between tables.
TABLES = """
set role omero;
create domain nonnegative_int as integer check (value >= 0);
create sequence seq_image;
create table fileset (id int8 primary key);
create table image (id int8 primary key default nextval('seq_image'), name text, sizec nonnegative_int,
  fileset int8 references fileset);
insert into fileset values (1);
insert into image (name, sizec, fileset) select '{site}' || n, n, 1 from generate_series(1, {images}) as n;
"""


@pytest.fixture
def sites() -> Iterator[tuple[Server, Server]]:
    """Start the old and the new site, each with a database after a first deployment."""
    with postgres.server() as old, postgres.server() as new:
        for site, server, images in (("old", old, 5000), ("new", new, 3)):
            server.run("psql", "--dbname=postgres", "--set=ON_ERROR_STOP=1", text_input=RIGHTS)
            server.run(
                "psql", "--dbname=idr", "--set=ON_ERROR_STOP=1", text_input=TABLES.format(site=site, images=images)
            )
        yield old, new


def typed(server: Server, program: str, folder: Path) -> int:
    """Run the guide's line with this program, without ssh to the node; return the exit status."""
    (line,) = re.findall(f"-- sudo -u postgres ({program} .+)", (ROOT / "docs" / "guide.md").read_text())
    own = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": ROLE, "PGPASSFILE": str(server.password_file)}
    path = f"{server.programs}:{os.environ['PATH']}"
    return subprocess.run(["bash", "-c", line], cwd=folder, env={"PATH": path, **own}, check=False).returncode


def asked(server: Server, sql: str) -> str:
    return server.run("psql", "--dbname=idr", "--tuples-only", "--no-align", "--quiet", "--command", sql).strip()


def test_the_new_site_has_the_database_of_the_old_one_or_still_its_own(
    sites: tuple[Server, Server], tmp_path: Path
) -> None:
    old, new = sites
    assert typed(old, "pg_dump", tmp_path) == 0
    dump = tmp_path / "idr.dump"
    whole = dump.read_bytes()
    # The connection was lost.
    dump.write_bytes(whole[: len(whole) // 2])
    assert typed(new, "pg_restore", tmp_path) != 0
    assert asked(new, "select count(*), min(name) from image") == "3|new1"
    dump.write_bytes(whole)
    for _ in range(2):
        assert typed(new, "pg_restore", tmp_path) == 0
        assert asked(new, "select count(*), min(name) from image") == "5000|old1"
    # OMERO still writes, and read-only servers read.
    asked(new, "set role omero; insert into image (name) values ('more')")
    assert asked(new, "set role omeroreadonly; select count(*) from image") == "5001"
    owners = "select distinct tableowner from pg_tables where schemaname = 'public'"
    assert asked(new, owners) == "omero"
