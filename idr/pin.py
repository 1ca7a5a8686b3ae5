"""Fetches the files that the settings name by URL, and writes their SHA-256 sums into the stack file.

So the files on the machines are later those that were downloaded here: a node uses no file with another sum.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml
from rich.progress import Progress

from idr import addons
from idr.errors import IdrError
from idr.stack_file import NAMESPACE, document
from model import site_folder
from model.addons import BASES, ENDING, Base
from model.overrides_file import OVERRIDES
from model.role_description import Distribution

PARTS = ("server", "ice", "icePython")
"""The parts of OMERO's official distribution, below `omero`."""
NOTHING = "tag:yaml.org,2002:null"
TIMEOUT_SECONDS = 30.0
CHUNK = 1 << 16


class Pinned:
    """A file as a stack file names it: the setting, the URL, and the sum in the file, or None."""

    def __init__(self, text: str, setting: str, part: Any) -> None:
        """The file that the node `part` of the text describes. Raises IdrError when it names none."""
        self.setting = setting
        fields = dict(_entries(part))
        if "url" not in fields:
            msg = f"idr:{setting}.url is not in the stack file: nothing to fetch"
            raise IdrError(msg)
        self._url, self._sum = fields["url"], fields.get("sha256")
        self._flow = bool(part.flow_style)
        newline = "\r\n" if "\r\n" in text else "\n"
        self._new_line = newline + " " * part.start_mark.column
        end_of_line = text.find(newline, self._url.end_mark.index)
        self._line_end = end_of_line if end_of_line >= 0 else len(text)
        self.url = str(self._url.value)
        self.sha256 = str(self._sum.value) if self._sum else None

    def edit(self, sha256: str) -> tuple[int, int, str]:
        """Where to insert the sum: beginning, end, new text. All other text stays, comments too."""
        if self._sum:
            return self._sum.start_mark.index, self._sum.end_mark.index, sha256
        end = self._url.end_mark.index if self._flow else self._line_end
        return end, end, f", sha256: {sha256}" if self._flow else f"{self._new_line}sha256: {sha256}"


def _keys(text: str) -> dict[str, Any]:
    """The keys of a stack file, or of a file of overrides, without their prefix, as nodes of YAML."""
    entries = dict(_entries(yaml.compose(text)))
    return {key.removeprefix(NAMESPACE): node for key, node in _entries(entries.get("config")) or entries.items()}


def _section(text: str, key: str) -> dict[str, Any]:
    """The section under a key of such a file, as YAML nodes by their names."""
    return dict(_entries(_keys(text).get(key)))


def _overrides(text: str, folder: Path) -> str:
    """The text of the overrides that a stack file names; empty where it cannot be read, which a preview reports."""
    name = _keys(text).get(OVERRIDES)
    try:
        above = (folder / name.value).read_text() if isinstance(name, yaml.ScalarNode) else ""
        yaml.compose(above)
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    return above


def left_out(file: Path) -> list[str]:
    """Files by URL that the stack's overrides name without a sum, a line each: sums go into the stack file alone."""
    text = file.read_text()
    above = _overrides(text, file.parent)
    omero, site = _section(above, "omero"), _section(above, "site")
    jars = omero["jars"].value if isinstance(omero.get("jars"), yaml.SequenceNode) else []
    parts = {f"omero.{name}": omero.get(name) for name in PARTS} | {"site.pages": site.get("pages")}
    parts |= {f"omero.jars.{number}": jar for number, jar in enumerate(jars)}
    without = [name for name, part in parts.items() if {"url", "sha256"} & dict(_entries(part)).keys() == {"url"}]
    return [
        f"idr:{name}: in {_keys(text)[OVERRIDES].value}, write sha256 yourself: curl -fsSL URL | sha256sum"
        for name in without
    ]


def pinned(text: str) -> list[Pinned]:
    """Every file that a stack file names by URL. Raises IdrError where one that it needs is not named."""
    omero, site = _section(text, "omero"), _section(text, "site")
    jars, pages = omero.get("jars"), site.get("pages")
    parts = {f"omero.{name}": omero.get(name) for name in PARTS}
    if "distribution" in omero and omero["distribution"].value == Distribution.DEMO and pages:
        parts = {}
    parts |= {f"omero.jars.{number}": jar for number, jar in enumerate(jars.value if jars else ())}
    parts |= {"site.pages": pages} if pages else {}
    return [Pinned(text, setting, part) for setting, part in parts.items()]


def _entries(node: Any) -> list[tuple[str, Any]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def pin(file: Path, fetch: Callable[[Pinned], str], *, renew: bool = False) -> dict[str, str]:
    """Write the sum of each file into the stack file, and the lock files of packages, all or none.

    Returns the sums by setting. Raises IdrError when a file cannot be fetched, or has another sum than the one written
    there and `renew` is false.
    """
    data = file.read_bytes()
    document(file)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        msg = f"{file.name}: save it as UTF-8; only then can a sum be written into it"
        raise IdrError(msg) from None
    parts = pinned(text)
    locked = _locked(text, file.parent, renew=renew)
    sums = {part.setting: fetch(part) for part in parts}
    for part in parts:
        if part.sha256 not in (None, sums[part.setting]) and not renew:
            msg = (
                f"idr:{part.setting}: {part.url} has SHA-256 {sums[part.setting]}, {file.name} says {part.sha256}: "
                "not the file that was pinned. Find out why; --renew takes the new one. Nothing was written"
            )
            raise IdrError(msg)
    for start, end, new in sorted((part.edit(sums[part.setting]) for part in parts), reverse=True):
        text = text[:start] + new + text[end:]
    written = file.with_suffix(".new")
    written.write_bytes(text.encode())
    written.chmod(file.stat().st_mode & 0o777)
    written.replace(file)
    for base, (lock, content) in locked.items():
        lock.write_text(content)
        sums[base.setting] = hashlib.sha256(content.encode()).hexdigest()
    return sums


def _locked(text: str, folder: Path, *, renew: bool) -> dict[Base, tuple[Path, str]]:
    """The lock files that the stack file names, with the new text of each."""
    locks = {}
    above = _overrides(text, folder)
    for base in BASES:
        node = _section(above, base.section).get(base.key) or _section(text, base.section).get(base.key)
        if node is None or node.tag == NOTHING:
            continue
        try:
            lock = folder / site_folder.file_path(node.value, ENDING)
        except site_folder.FolderError as error:
            msg = f"idr:{base.setting}: {error}"
            raise IdrError(msg) from None
        locks[base] = (lock, addons.resolved(base, lock, renew=renew))
    return locks


def fetched(part: Pinned, progress: Progress) -> str:
    """The SHA-256 of the file at its URL. Raises IdrError when the download fails."""
    digest = hashlib.sha256()
    task = progress.add_task(part.setting, total=None)
    try:
        with httpx.stream("GET", part.url, follow_redirects=True, timeout=TIMEOUT_SECONDS) as answer:
            answer.raise_for_status()
            size = answer.headers.get("content-length")
            progress.update(task, total=int(size) if size else None)
            for chunk in answer.iter_raw(CHUNK):
                digest.update(chunk)
                progress.advance(task, len(chunk))
            if answer.url != part.url:
                progress.console.print(
                    f"{part.setting}: {part.url} leads to {answer.url}; a URL with a version stays true"
                )
    except httpx.HTTPStatusError as error:
        msg = f"idr:{part.setting}: {part.url} answers {error.response.status_code}. Nothing was written"
        raise IdrError(msg) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        msg = (
            f"idr:{part.setting}: cannot fetch {part.url}: {error}. `idr pin` needs a machine that reaches it "
            "(HTTPS_PROXY is honoured). Nothing was written"
        )
        raise IdrError(msg) from None
    return digest.hexdigest()
