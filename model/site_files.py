"""A role's files.yaml: its type, its reader, and the checks of the folder of a site's own role."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Annotated, Literal

from pydantic import TypeAdapter, ValidationError

from model import explanation, yaml_text
from model.field_types import Section, Shape
from model.role_description import FOLDER

NAME = "files.yaml"
STEPS = ("prepare", "check", "activate", "health", "stop")
"""The scripts that `idr-apply` runs. `idr-heal` runs those named watch-UNIT."""
LIBRARY = "/usr/local/lib/idr"
"""The folder of all roles' scripts on a node."""

_TEMPLATE = ".*\\{\\{.*\\}\\}.*"
Mode = Annotated[str, Shape(f"[0-7]{{4}}|{_TEMPLATE}", 'a mode as in "0640", in quotes')]
Account = Annotated[str, Shape("[a-z_][a-z0-9_-]*", "the name of an account")]
MachinePath = Annotated[str, Shape(f"(/[A-Za-z0-9_@.-]+)+|{_TEMPLATE}", "an absolute path")]


class FileEntry(Section):
    """A file on the node: mode and owner, and its source if that is not `files/` with the same path.

    With `each` there is a file for every `item` of that list; a site's own roles can use only `people`.
    """

    mode: Mode = "0644"
    owner: Account = "root"
    group: Account | None = None
    source: str | None = None
    each: Literal["people", "buckets", "site_texts", "site_locations"] | None = None


_ENTRIES = TypeAdapter(dict[MachinePath, FileEntry])


def problems(folder: Path, others: Mapping[str, str]) -> Iterator[str]:
    """Yield the mistakes in the files of the role in `folder`, each with the path of the file.

    `others` has the paths of the site's other roles, with the role of each.
    """
    if not (folder / "scripts" / "health").is_file():
        yield "scripts/health: is missing: an update ends when this test of the role succeeds"
    yield from _script_problems(folder)
    try:
        entries = read(folder / NAME)
    except ValueError as error:
        yield from (f"{NAME}: {line}" for line in str(error).splitlines())
        return
    used: set[Path] = set()
    for path, entry in entries.items():
        yield from (f"{NAME}: {path}: {problem}" for problem in _path_problems(path, entries))
        if entry.each not in (None, "people"):
            yield f"{NAME}: {path}: each: is not in the templates of a site's own role; `people` is"
        source = None if _name(folder, path, entry).startswith("..") else source_of(folder, path, entry)
        if source is None:
            yield f"{NAME}: {path}: {missing(path, entry)}"
        else:
            used.add(source)
        if owner := others.get(path) or _program_paths().get(path) or _library_of(path, folder.name):
            yield f"{NAME}: {path}: is a file of the role {owner}"
    present = {file for file in (folder / "files").rglob("*") if file.is_file()}
    for file in sorted(present - used):
        yield f"{file.relative_to(folder)}: is not in {NAME}"
    yield from (f"{file.relative_to(folder)}: {NO_TEXT}" for file in sorted(present & used) if not _is_text(file))


NO_TEXT = "is not text in UTF-8: a node is given nothing else; a binary file can come from a package or be downloaded"


def _is_text(file: Path) -> bool:
    try:
        file.read_bytes().decode()
    except UnicodeDecodeError:
        return False
    return True


def _script_problems(folder: Path) -> Iterator[str]:
    """Yield scripts that cannot be read, or that the system could not start."""
    scripts = folder / "scripts"
    for file in sorted(scripts.iterdir()) if scripts.is_dir() else ():
        if not file.is_file():
            yield f"scripts/{file.name}: is no file"
        elif not _is_text(file):
            yield f"scripts/{file.name}: {NO_TEXT}"
        elif (file.name in STEPS or file.name.startswith("watch-")) and not file.read_bytes().startswith(b"#!"):
            yield f"scripts/{file.name}: must begin with the program that runs it, as in #!/bin/bash"


def _path_problems(path: str, entries: Iterable[str]) -> Iterator[str]:
    """Yield paths that lead elsewhere, or that conflict with another file of the role."""
    parts = path.split("/")
    if {".", ".."}.intersection(parts):
        yield "must be a path without '.' and '..'"
    for other in entries:
        if path.startswith(f"{other}/"):
            yield f"cannot be in {other}, which is a file"


def paths(folder: Path) -> list[str]:
    """Return the paths of a role's files on the node; none if its files.yaml is invalid."""
    try:
        return list(read(folder / NAME))
    except ValueError:
        return []


def read(file: Path) -> dict[str, FileEntry]:
    """Read the entries of a files.yaml, by path on the node. Raises ValueError with every mistake, a line each."""
    try:
        return _ENTRIES.validate_python(yaml_text.load(file.read_bytes()) or {})
    except OSError:
        msg = "is missing; `{}` says that the role has no files"
    except yaml_text.YamlError as error:
        msg = str(error)
    except ValidationError as error:
        msg = "\n".join(
            f"{field}: {problem}"
            for item in error.errors()
            for field in [".".join(str(key) for key in item["loc"] if key != "[key]")]
            for problem in explanation.problems(item, field)
        )
    raise ValueError(msg)


def source_of(folder: Path, path: str, entry: FileEntry) -> Path | None:
    """Return the source of an entry, a file or template: of this role, or of another one of the site or the program.

    None if it does not exist.
    """
    name = _name(folder, path, entry)
    candidates = (root / f"{name}{ending}" for root in (folder.parent, FOLDER) for ending in ("", ".j2"))
    return next((file for file in candidates if file.is_file()), None)


def _name(folder: Path, path: str, entry: FileEntry) -> str:
    return normpath(f"{folder.name}/{entry.source or f'files{path}'}")


def missing(path: str, entry: FileEntry) -> str:
    """Return the message for an entry without a source."""
    if entry.source:
        return f"there is no {entry.source}, in this role or (../<role>/...) in another"
    return f"there is no files{path}, nor files{path}.j2"


def _library_of(path: str, role: str) -> str | None:
    """Return the other role whose folder of scripts has the path."""
    parts = PurePosixPath(path).parts
    own = PurePosixPath(LIBRARY).parts
    other = parts[len(own)] if parts[: len(own)] == own and len(parts) > len(own) else role
    return None if other == role else other


@cache
def _program_paths() -> dict[str, str]:
    """Return the role of each path of the program's own files."""
    return {path: file.parent.name for file in sorted(FOLDER.glob(f"*/{NAME}")) for path in read(file)}
