"""A role's files.yaml: its type, its reader, and the checks of the folder of a site's own role."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from posixpath import normpath
from typing import Annotated, Literal

from pydantic import TypeAdapter, ValidationError

from model import explanation, yaml_text
from model.field_types import LONGEST_NAME, Section, Shape
from model.role_description import FOLDER

NAME = "files.yaml"
STEPS = ("prepare", "check", "activate", "health", "stop")
"""The scripts that `idr-apply` runs. `idr-heal` runs those named watch-UNIT."""
LIBRARY = "/usr/local/lib/idr"
"""The folder of all roles' scripts on a node."""

_EXPRESSION = re.compile(r"\{\{-? *(node|plan|release|peers|proxies|secrets)\.|\{\{-? *(passwords|memory_mib)\[")
"""What a site's template prints most. Other programs have expressions in braces, too."""
_TEMPLATE = ".*\\{\\{.*\\}\\}.*"
_MODE = "0[0-7]{2}[0145]"
_PATH = f"(/(?!\\.\\.?(/|$))[A-Za-z0-9_@.-]{{1,{LONGEST_NAME}}})+"
Mode = Annotated[
    str, Shape(f"{_MODE}|{_TEMPLATE}", 'a mode as in "0640", in quotes, without write permission for others')
]
Account = Annotated[str, Shape("[a-z_][a-z0-9_-]*", "the name of an account")]
Source = Annotated[
    str,
    Shape(
        f"(?=.{{1,{LONGEST_NAME}}}$)[A-Za-z0-9_@./-]+",
        "a path in this role, or in another as in ../<role>/files/...",
    ),
]
MachinePath = Annotated[str, Shape(f"{_PATH}|{_TEMPLATE}", "an absolute path, without '.' and '..'")]


class FileEntry(Section):
    """A file on the node: mode and owner, and its source if that is not `files/` with the same path.

    With `each` there is a file for every `item` of that list; a site's own roles can use only `people`.
    """

    mode: Mode = "0644"
    owner: Account = "root"
    group: Account | None = None
    source: Source | None = None
    each: Literal["people", "buckets", "site_texts", "site_locations"] | None = None


_ENTRIES = TypeAdapter(dict[MachinePath, FileEntry])


def problems(folder: Path, others: Mapping[str, str]) -> Iterator[str]:
    """Yield the mistakes in the files of the role in `folder`, each with the path of the file.

    `others` has the paths of the site's other roles, with the role of each.
    """
    try:
        entries = read(folder / NAME)
    except ValueError as error:
        yield from (f"{NAME}: {line}" for line in str(error).splitlines())
        return
    taken = {**program_paths(), **others}
    used: set[Path] = set()
    for path, entry in entries.items():
        yield from (f"{NAME}: {path}: {problem}" for problem in _path_problems(path, folder, entries, taken))
        if entry.each not in (None, "people"):
            yield f"{NAME}: {path}: each: is not in the templates of a site's own role; `people` is"
        source = None if _name(folder, path, entry).startswith("..") else source_of(folder, path, entry)
        if source is None:
            yield f"{NAME}: {path}: {missing(path, entry)}"
        else:
            used.add(source)
    present = {file for file in (folder / "files").rglob("*") if file.is_file()}
    for file in sorted(present - used):
        yield f"{file.relative_to(folder)}: is not in {NAME}"
    for file in sorted(present & used):
        if not is_text(file):
            yield f"{file.relative_to(folder)}: {NO_TEXT}"
        elif file.suffix != ".j2" and _EXPRESSION.search(file.read_text()):
            yield f"{file.relative_to(folder)}: has an expression of a template: rename it to {file.name}.j2"


NO_TEXT = "is not text in UTF-8: a node is given nothing else; a binary file can come from a package or be downloaded"


def is_text(file: Path) -> bool:
    """Return whether a file is text in UTF-8."""
    try:
        file.read_bytes().decode()
    except UnicodeDecodeError:
        return False
    return True


def _path_problems(path: str, folder: Path, own: Iterable[str], taken: Mapping[str, str]) -> Iterator[str]:
    """Yield why a path conflicts with another file; `taken` has the role of each."""
    if role := taken.get(path):
        yield f"is a file of the role {role}"
        return
    if reason := _in_library(path, folder):
        yield reason
        return
    for other, role in {**taken, **dict.fromkeys(own, "")}.items():
        of = f" of the role {role}" if role else ""
        if path.startswith(f"{other}/"):
            yield f"cannot be in {other}, which is a file{of}"
        elif role and other.startswith(f"{path}/"):
            yield f"cannot be a file: the role {role} has files in it"
            return


def _in_library(path: str, folder: Path) -> str | None:
    """Return what is wrong with a file in the folder of the roles' scripts; None for other files."""
    if not f"{path}/".startswith(f"{LIBRARY}/"):
        return None
    role, _, name = path.removeprefix(LIBRARY).removeprefix("/").partition("/")
    if not name:
        return "cannot be a file: the scripts of roles are in it"
    if role != folder.name:
        return f"is a file of the role {role}"
    return f"is scripts/{name} on the machine" if (folder / "scripts" / name).exists() else None


def paths(folder: Path) -> list[str]:
    """Return the paths of a role's files on the node; none if its files.yaml is invalid."""
    try:
        return list(read(folder / NAME))
    except ValueError:
        return []


def read(file: Path) -> dict[str, FileEntry]:
    """Read the entries of a files.yaml, by path on the node. Raises ValueError with every mistake, a line each."""
    try:
        written = yaml_text.load(file.read_bytes())
        return _ENTRIES.validate_python({} if written is None else written)
    except FileNotFoundError:
        msg = "is missing; `{}` says that the role has no files"
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
    except yaml_text.YamlError as error:
        msg = str(error)
    except ValidationError as error:
        msg = "\n".join(explanation.lines(error, FileEntry, "docs/site-roles.md"))
    raise ValueError(msg)


def wrong_value(path: str, mode: str) -> str | None:
    """Return what is wrong with a path and a mode that templates render; None if both are valid."""
    if not re.fullmatch(_PATH, path):
        return f"comes to '{path}', which is no absolute path without '.' and '..'"
    return None if re.fullmatch(_MODE, mode) else f"mode: comes to '{mode}', which is no mode as in 0640"


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


@cache
def program_paths() -> dict[str, str]:
    """Return the role of each path of the program's own files."""
    return {path: file.parent.name for file in sorted(FOLDER.glob(f"*/{NAME}")) for path in read(file)}
