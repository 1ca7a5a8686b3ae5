"""Python packages that a site adds to those of OMERO.server or OMERO.web, as a lock file beside the stack file.

A node installs what is in it by version and hash, beside what the program itself locks.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from model import site_folder, web_apps
from model.role_description import FOLDER
from model.site_folder import FileError

ENDING: Final = ".lock"

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)"
    r"(?: ?; ?[^\\#]+?)?(?: --hash=sha256:[0-9a-f]{64})+"
)
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Base:
    """The environment that packages are added to: its setting (section and key), its owner, the program's lock file.

    A site may lock other versions of the packages in `replaceable`, in place of the program's.
    """

    section: str
    key: str
    name: str
    lock: Path
    replaceable: frozenset[str] = frozenset()

    @property
    def setting(self) -> str:
        """The setting as messages name it."""
        return f"{self.section}.{self.key}"

    def without(self, packages: Collection[str]) -> str:
        """The program's lock file without `packages`."""
        if not packages:
            return self.lock.read_text()
        return "".join(f"{one}\n" for one in _requirements(self.lock.read_text()) if _name(one) not in packages)

    def replaced(self, text: str) -> frozenset[str]:
        """The replaceable packages that a list of packages, locked or wanted, names."""
        return self.replaceable & {_normal(match[0]) for line in text.splitlines() if (match := _NAME.match(line))}


SERVER: Final = Base("omero", "addons", "OMERO.server", FOLDER / "omero-server" / "requirements.lock")
_APPS: Final = frozenset(app.django.replace("_", "-") for app in web_apps.table().values())
WEB: Final = Base("web", "requirements", "OMERO.web", FOLDER / "web" / "requirements.lock", _APPS)
BASES: Final = (SERVER, WEB)


@dataclass(frozen=True)
class Addons:
    """A lock file: its path in the checkout, and its text."""

    path: str
    text: str


def read(base: Base, setting: Any, checkout: Path) -> Addons:
    """The lock file that a setting names.

    Raises FolderError where it does not exist, FileError where it is no lock file.
    """
    file, path = site_folder.find_file(setting, checkout, ENDING, "`idr pin` writes it")
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise FileError(msg) from None
    if wrong := list(_problems(base, text)):
        raise FileError("\n".join(f"{path}: {problem}" for problem in wrong))
    return Addons(str(path), text)


def together(base: Base, addons: Addons | None) -> str:
    """The lock file of the program's packages and the added ones, each once: pip refuses to get one twice."""
    if addons is None:
        return base.lock.read_text()
    replaced = base.replaced(addons.text)
    known = _versions(base.lock).keys() - replaced
    added = [one for one in _requirements(addons.text) if _name(one) not in known]
    return base.without(replaced) + "".join(f"{one}\n" for one in added)


def _problems(base: Base, text: str) -> Iterator[str]:
    versions = _versions(base.lock)
    seen: dict[str, str] = {}
    for requirement in _requirements(text):
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            yield f"'{requirement[:60]}' is no name==version with --hash=sha256:...; `idr pin` writes the file again"
            continue
        name, version = _normal(match["name"]), match["version"]
        if first := seen.get(name):
            yield f"{match['name']}=={version} is there as =={first}, too: remove one, and run `idr pin`"
        seen[name] = version
        if name not in base.replaceable and (own := versions.get(name, version)) != version:
            yield f"{match['name']}=={match['version']} is {own} in {base.name}'s own environment; run `idr pin`"


def _requirements(text: str) -> Iterator[str]:
    """The requirements, each as one line with single spaces; comments left out."""
    plain = "\n".join(line.partition("#")[0] for line in text.splitlines())
    for line in re.sub(r"\\\n", " ", plain).splitlines():
        if words := line.split():
            yield " ".join(words)


@cache
def _versions(lock: Path) -> dict[str, str]:
    matches = map(_REQUIREMENT.fullmatch, _requirements(lock.read_text()))
    return {_normal(one["name"]): one["version"] for one in matches if one}


def _name(requirement: str) -> str:
    return _normal(requirement.partition("==")[0])


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()
