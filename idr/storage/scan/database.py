"""The files that OMERO's database names."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

STUDY = "split_part(name, '/', 1)"
"""The IDR names projects and screens like idr0001-graml-sysgro/screenA."""

REPOSITORY = """
select hash, path || name from originalfile where mimetype = 'Repository' and name = 'ManagedRepository'
"""
STUDIES = f"""
select fileset, min({STUDY}) as study from (
  select image.fileset, project.name from image
    join datasetimagelink on datasetimagelink.child = image.id
    join projectdatasetlink on projectdatasetlink.child = datasetimagelink.parent
    join project on project.id = projectdatasetlink.parent
  union all
  select image.fileset, screen.name from image
    join wellsample on wellsample.image = image.id join well on well.id = wellsample.well
    join screenplatelink on screenplatelink.child = well.plate join screen on screen.id = screenplatelink.parent
) contained where fileset is not null group by fileset
"""
# OMERO (AbstractFileSystemService) stores files outside repositories in one folder for each thousand.
_FOLDERS = " || ".join(
    f"case when id >= {above} then 'Dir-' || to_char(id / {above} % 1000, 'FM000') || '/' else '' end"
    for above in (10**9, 10**6, 10**3)
)
NUMBERED = f"'Files/' || {_FOLDERS} || id"
FILES = f"""
with studies as ({STUDIES}), entries as (
  select originalfile, min(study) as study from filesetentry left join studies using (fileset) group by originalfile
), named as (
  select id, 'ManagedRepository/' || ltrim(path, '/') || name as file, size, mimetype from originalfile
    where repo = :repository
  union all
  select id, {NUMBERED}, size, mimetype from originalfile where repo is null
)
select file, case when mimetype = 'application/omero-log-file' then null else size end, coalesce(size, 0),
  coalesce(study, '') from named left join entries on originalfile = id
where mimetype is null or mimetype not in ('Directory', 'Repository') order by file collate "C"
"""
"""An import's log grows after its size was stored, so its size is not compared."""
MEMOS = """
select distinct ltrim(path, '/'), name from pixels where repo = :repository and path is not null and name is not null
"""

ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
NULL = b"\\N"


class DatabaseError(Exception):
    """The database does not answer, or is no database of OMERO."""


@dataclass(frozen=True)
class Named:
    """A file that the database names, below OMERO's data folder. `size` is the expected size, None if unknown."""

    path: bytes
    size: int | None
    counted: int
    study: str


@dataclass(frozen=True)
class Database:
    """OMERO's database, by a connection string of libpq."""

    connection: str

    def repository(self) -> tuple[str, bytes]:
        """The identifier of the managed repository, and its folder as OMERO names it."""
        rows = list(self._rows(REPOSITORY, ""))
        if len(rows) != 1:
            msg = f"the database names {len(rows)} repositories called ManagedRepository, not one"
            raise DatabaseError(msg)
        return rows[0][0].decode(), rows[0][1]

    def files(self, repository: str) -> Iterator[Named]:
        """Yield every file that must exist, in the byte order of the paths."""
        for path, size, counted, study in self._rows(FILES, repository):
            yield Named(path, None if size == NULL else int(size), int(counted), study.decode())

    def memos(self, repository: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield folder and name of each file of the repository that Bio-Formats opens."""
        yield from ((folder, name) for folder, name in self._rows(MEMOS, repository))

    def _rows(self, query: str, repository: str) -> Iterator[list[bytes]]:
        # psql keeps the result of a plain query in memory. COPY sends rows as they come, but takes no variables.
        value = repository.replace("'", "''")
        text = query.replace(":repository", f"'{value}'")
        copy = f"copy ({text}) to stdout"
        command = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.connection, "-c", copy]
        own = {**os.environ, "PGCLIENTENCODING": "UTF8"}
        # All rows are read first: the server drops a client that does not read for 25 s, and a walk may take longer
        # between two files. After a stream that ended early, every further file would be reported as unknown.
        with tempfile.TemporaryFile(dir="/var/tmp") as rows:
            done = subprocess.run(
                command, env=own, stdin=subprocess.DEVNULL, stdout=rows, stderr=subprocess.PIPE, check=False
            )
            if done.returncode:
                message = done.stderr.decode(errors="replace").strip()
                msg = message.splitlines()[0] if message else f"psql ended with {done.returncode}"
                raise DatabaseError(msg)
            rows.seek(0)
            for line in rows:
                yield [_field(one) for one in line[:-1].split(b"\t")]


def _field(text: bytes) -> bytes:
    """Decode a value of COPY's text format; NULL stays as it is."""
    if text == NULL or b"\\" not in text:
        return text
    return re.sub(rb"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), text)
