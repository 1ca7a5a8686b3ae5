"""Queries of OMERO's database. The database decides whether a row is imported, not the ledger.

One query covers a whole list: the paths of filesets have no index, so each query reads all of them.
"""

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .steps import FilesetContents

SECONDS = 1800
# What OMERO puts in place of characters and names that some systems refuse (its FilePathRestrictionInstance).
_CHANGED = str.maketrans("".join(map(chr, range(0x20))) + '"*:<>?\\|', "_" * 0x20 + "'x;[]%!!")
_PORTS = (f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10))
_DEVICES = ("AUX", "CLOCK$", "CON", "NUL", "PRN", *_PORTS)
_FILESETS = """
create temporary table asked (path text primary key);
copy asked from stdin;
{paths}
\\.
with found as (
  select a.path, e.fileset from asked a join filesetentry e on e.clientpath = a.path
  union
  select a.path, e.fileset from (select distinct length(path) as n from asked where right(path, 1) = '/') lengths
    cross join filesetentry e
    join asked a on length(a.path) = lengths.n and a.path = left(e.clientpath, lengths.n)
)
select f.path, f.fileset, count(i.id) from found f left join image i on i.fileset = f.fileset group by 1, 2 order by 2;
"""
# Plates are listed instead of their images. Containers are the outermost: a screen or project, else plate or dataset.
_CONTENTS = """
create temporary table asked (fileset bigint primary key);
copy asked from stdin;
{filesets}
\\.
select i.fileset, 'Plate:' || w.plate, coalesce('Screen:' || l.parent, 'Plate:' || w.plate), ''
  from asked a join image i on i.fileset = a.fileset join wellsample s on s.image = i.id join well w on w.id = s.well
  left join screenplatelink l on l.child = w.plate group by 1, 2, 3, 4
union all
select i.fileset, 'Image:' || i.id, coalesce('Project:' || p.parent, 'Dataset:' || d.parent, ''),
  coalesce('Dataset:' || d.parent, '')
  from asked a join image i on i.fileset = a.fileset
  left join datasetimagelink d on d.child = i.id left join projectdatasetlink p on p.child = d.parent
  where not exists (select from wellsample s where s.image = i.id);
"""
_ANNOTATED = """
select count(*) from {kind}annotationlink l join annotation a on a.id = l.child
  where l.parent = {number} and a.ns = 'openmicroscopy.org/omero/bulk_annotations';
"""
# Of the filesets: OMERO gives what is made of one to the same user.
_OWNERS = """
create temporary table asked (kind text, id bigint);
copy asked from stdin;
{objects}
\\.
with parts as (
  select id as image from asked where kind = 'Image'
  union
  select s.image from asked a join well w on w.plate = a.id join wellsample s on s.well = w.id where a.kind = 'Plate'
)
select distinct e.omename from parts p join image i on i.id = p.image join fileset f on f.id = i.fileset
  join experimenter e on e.id = f.owner_id order by 1;
"""
_SIZE = "select pg_database_size(current_database());\n"


class DatabaseError(Exception):
    """The database does not answer."""


@dataclass
class Known:
    """What OMERO has of a path: filesets with images, the number of images, and filesets without images."""

    filesets: list[int] = field(default_factory=list)
    images: int = 0
    empty: list[int] = field(default_factory=list)


def client_path(path: str) -> str:
    """A path as OMERO stores it."""
    return "/".join(_component(part) for part in path.strip("/").split("/"))


def _component(part: str) -> str:
    if part.upper() in _DEVICES:
        part += "_"
    if part.startswith("$") or part.upper().startswith(tuple(f"{name}." for name in _DEVICES)):
        part = f"_{part}"
    return part.translate(_CHANGED)


class Database:
    """OMERO's database, with the login of the node's OMERO.server."""

    def __init__(self, connection: str, password: Path) -> None:
        self._connection = connection
        self._password = password

    def known(self, folders: Mapping[str, bool]) -> dict[str, Known]:
        """Return what OMERO has of these paths, given with whether each is a folder. Raises DatabaseError."""
        if not folders:
            return {}
        requested = {client_path(path) + "/" * folder: path for path, folder in folders.items()}
        by_path: dict[str, Known] = defaultdict(Known)
        for line in self._query(_FILESETS.format(paths="\n".join(requested))):
            path, fileset, images = line.rsplit("|", 2)
            about = by_path[requested[path]]
            (about.filesets if int(images) else about.empty).append(int(fileset))
            about.images += int(images)
        return dict(by_path)

    def contents(self, filesets: Iterable[int]) -> dict[int, FilesetContents]:
        """Return the objects and containers of these filesets. Raises DatabaseError."""
        if not (requested := sorted(set(filesets))):
            return {}
        by_fileset: dict[int, list[list[str]]] = defaultdict(list)
        for line in self._query(_CONTENTS.format(filesets="\n".join(map(str, requested)))):
            fileset, *about = line.split("|")
            by_fileset[int(fileset)].append(about)
        return {
            fileset: FilesetContents(*(_unique(column) for column in zip(*lines, strict=True)))
            for fileset, lines in by_fileset.items()
        }

    def is_annotated(self, container: str) -> bool:
        """Whether a container, such as Screen:3, has a table of annotations. Raises DatabaseError."""
        kind, _, number = container.partition(":")
        query = _ANNOTATED.format(kind=kind.lower(), number=int(number))
        return int(next(iter(self._query(query)))) > 0

    def owners(self, objects: Iterable[str]) -> list[str]:
        """Return the users who have imported these plates and images. Raises DatabaseError."""
        parts = (one.partition(":") for one in objects)
        lines = "\n".join(f"{kind}\t{int(number)}" for kind, _, number in parts)
        return list(self._query(_OWNERS.format(objects=lines)))

    def size(self) -> int:
        """Return the size of the database in bytes. Raises DatabaseError."""
        return int(next(iter(self._query(_SIZE))))

    def _query(self, script: str) -> Iterable[str]:
        done = subprocess.run(
            ["psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-d", self._connection],
            input=script,
            env=os.environ | {"PGPASSWORD": self._password.read_text().strip()},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        if done.returncode:
            raise DatabaseError(
                f"the database does not answer: {(done.stderr.strip().splitlines() or ['no reason'])[0]}"
            )
        return _lines(done.stdout)


def _unique(some: Iterable[str]) -> tuple[str, ...]:
    """Return each non-empty text once, sorted by number."""
    return tuple(sorted(filter(None, set(some)), key=lambda one: (int(one.partition(":")[2]), one)))


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line)
