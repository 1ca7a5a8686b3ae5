"""What is wrong with the scripts of a site's own role."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from model.role_description import RoleDescription
from model.site_files import NO_TEXT, STEPS, is_text

WATCH = "watch-"
"""How the names of scripts begin that tell `idr-heal` whether a unit works."""

_NAME = re.compile(r"[A-Za-z0-9_.@-]+")
_FIRST_LINE = re.compile(rb"#! ?/[^\s]+( [^\r\n]+)?(\n|\Z)")


def problems(folder: Path, about: RoleDescription) -> Iterator[str]:
    """Yield the mistakes in the scripts of the role in `folder`, each with the path of the script."""
    scripts = folder / "scripts"
    there = sorted(scripts.iterdir()) if scripts.is_dir() else []
    if "health" not in [file.name for file in there]:
        yield "scripts/health: is missing: an update ends when this test of the role succeeds"
    for file in there:
        name = file.name if file.name.isprintable() else repr(file.name)
        yield from (f"scripts/{name}: {problem}" for problem in _problems(file, about))


def _problems(file: Path, about: RoleDescription) -> Iterator[str]:
    if not file.is_file():
        yield "is no file"
        return
    if not _NAME.fullmatch(file.name):
        yield "must have a name of letters, digits, dots, dashes and underscores"
    if file.name.startswith(WATCH) and not _is_unit(file.name.removeprefix(WATCH), about):
        yield "watches a unit that is not among `services` and `units` of role.yaml"
    if not is_text(file):
        yield NO_TEXT
    elif (file.name in STEPS or file.name.startswith(WATCH)) and not _FIRST_LINE.match(file.read_bytes()):
        yield "must begin with the program that runs it, as in #!/bin/bash, in a line that ends as on Unix"


def _is_unit(name: str, about: RoleDescription) -> bool:
    units = [service.name() for service in about.services]
    # A script can watch all instances of a template unit.
    units += [f"{unit.partition('@')[0]}@" for unit in units if "@" in unit]
    return name in units or any(fnmatchcase(name, pattern) for pattern in about.units)
