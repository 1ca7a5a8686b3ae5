"""Python packages that a site adds to OMERO.server or OMERO.web, in a lock file beside the stack file.

A node installs them by version and hash, in addition to the program's own packages.
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
    """The environment to which packages are added: its setting (section and key), name, and the program's lock file.

    A site may lock other versions of the packages in `replaceable`, in place of the program's.
    """

    section: str
    key: str
    name: str
    lock: Path
    replaceable: frozenset[str] = frozenset()

    @property
    def setting(self) -> str:
        """The setting's name in messages."""
        return f"{self.section}.{self.key}"

    def without(self, packages: Collection[str]) -> str:
        """Return the program's lock file without `packages`."""
        if not packages:
            return self.lock.read_text()
        return "".join(f"{one}\n" for one in _requirements(self.lock.read_text()) if _name(one) not in packages)

    def replaced(self, text: str) -> frozenset[str]:
        """Return the replaceable packages in a list of packages (.in or .lock)."""
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
    """Read the lock file that a setting names.

    Raises FolderError if it does not exist, FileError if it is no lock file.
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


def merged(base: Base, addons: Addons | None) -> str:
    """Merge the lock files of the program and of the site. Each package is listed once, as pip requires."""
    if addons is None:
        return base.lock.read_text()
    replaced = base.replaced(addons.text)
    known = _versions(base.lock).keys() - replaced
    added = [one for one in _requirements(addons.text) if _name(one) not in known]
    return base.without(replaced) + "".join(f"{one}\n" for one in added)


def _problems(base: Base, text: str) -> Iterator[str]:
    versions = _versions(base.lock)
    versions_seen: dict[str, str] = {}
    for requirement in _requirements(text):
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            yield f"'{requirement[:60]}' is no name==version with --hash=sha256:...; `idr pin` writes the file again"
            continue
        name, version = _normal(match["name"]), match["version"]
        if first := versions_seen.get(name):
            yield f"{match['name']}=={version} is there as =={first}, too: remove one, and run `idr pin`"
        versions_seen[name] = version
        if name not in base.replaceable and (own := versions.get(name, version)) != version:
            yield f"{match['name']}=={match['version']} is {own} in {base.name}'s own environment; run `idr pin`"


def _requirements(text: str) -> Iterator[str]:
    """Yield the requirements, each as one line with single spaces, without comments."""
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
