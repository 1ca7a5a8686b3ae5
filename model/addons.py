"""Packages of Python for OMERO.server's command line: a lock file beside the stack file (`idr:omero.addons`).

A node installs what is in it by version and hash, beside what the program itself locks for OMERO.server.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from model import site_folder
from model.role_description import FOLDER
from model.site_folder import FileError

SETTING: Final = "addons"
ENDING: Final = ".lock"
OWN_LOCK: Final = FOLDER / "omero-server" / "requirements.lock"

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)"
    r"(?: ?; ?[^\\#]+?)?(?: --hash=sha256:[0-9a-f]{64})+"
)


@dataclass(frozen=True)
class Addons:
    """A lock file: its path in the checkout, and its text."""

    path: str
    text: str


def read(setting: Any, checkout: Path) -> Addons:
    """The lock file that the setting names. Raises FolderError where there is none, FileError where it is none."""
    file, path = site_folder.find_file(setting, checkout, ENDING, "`idr pin` writes it")
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise FileError(msg) from None
    if wrong := list(_problems(text)):
        raise FileError("\n".join(f"{path}: {problem}" for problem in wrong))
    return Addons(str(path), text)


def _problems(text: str) -> Iterator[str]:
    for requirement in _requirements(text):
        found = _REQUIREMENT.fullmatch(requirement)
        if found is None:
            yield f"'{requirement[:60]}' is no name==version with --hash=sha256:...; `idr pin` writes the file again"
            continue
        own = _own_versions().get(_normal(found["name"]), found["version"])
        if own != found["version"]:
            yield f"{found['name']}=={found['version']} is {own} in OMERO.server's own environment; run `idr pin`"


def _requirements(text: str) -> Iterator[str]:
    """The requirements, each as one line with single spaces; comments left out."""
    plain = "\n".join(line.partition("#")[0] for line in text.splitlines())
    for line in re.sub(r"\\\n", " ", plain).splitlines():
        if words := line.split():
            yield " ".join(words)


@cache
def _own_versions() -> dict[str, str]:
    found = map(_REQUIREMENT.fullmatch, _requirements(OWN_LOCK.read_text()))
    return {_normal(one["name"]): one["version"] for one in found if one}


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()
