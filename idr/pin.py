"""Fetches the files that the settings name by URL, and writes their SHA-256 sums beside the URLs.

So the files on the machines are later those that were downloaded here: a node uses no file with another sum.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from rich.progress import Progress

from idr import addons
from idr.errors import IdrError
from idr.stack_file import document
from model import site_folder
from model.addons import BASES, ENDING, Base
from model.overrides_file import OVERRIDES, wrong_overrides
from model.reading import NAMESPACE
from model.role_description import Distribution

PARTS = ("server", "ice", "icePython")
"""The parts of OMERO's official distribution, below `omero`."""
NOTHING = "tag:yaml.org,2002:null"
TIMEOUT_SECONDS = 30.0
CHUNK = 1 << 16


@dataclass(frozen=True)
class Written:
    """A file of settings: a stack file, or the one of its overrides."""

    path: Path
    text: str

    def keys(self) -> dict[str, Any]:
        """Return its keys without their prefix, as nodes of YAML."""
        entries = dict(_entries(yaml.compose(self.text)))
        return {key.removeprefix(NAMESPACE): node for key, node in _entries(entries.get("config")) or entries.items()}

    def section(self, key: str) -> dict[str, Any]:
        """Return the section under a key, as nodes of YAML by their names."""
        return dict(_entries(self.keys().get(key)))


class Pinned:
    """A file as settings name it: the setting, the URL, and the sum beside it, or None."""

    def __init__(self, written: Written, setting: str, part: Any) -> None:
        """Return the file that the node `part` of the text describes. Raises IdrError when it names none."""
        self.written, self.setting, text = written, setting, written.text
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
        """Return where to insert the sum: beginning, end, new text. All other text stays, comments too."""
        if self._sum:
            return self._sum.start_mark.index, self._sum.end_mark.index, sha256
        end = self._url.end_mark.index if self._flow else self._line_end
        return end, end, f", sha256: {sha256}" if self._flow else f"{self._new_line}sha256: {sha256}"


def _overrides(stack: Written) -> Written | None:
    """Return the file of overrides that a stack file names; None where it cannot be read, which a preview reports."""
    name, folder = stack.keys().get(OVERRIDES), stack.path.parent
    if not isinstance(name, yaml.ScalarNode) or wrong_overrides(name.value, folder):
        return None
    try:
        above = Written(folder / name.value, (folder / name.value).read_bytes().decode())
        above.keys()
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return above


def pinned(stack: Written, above: Written | None) -> list[Pinned]:
    """Return every file that settings name by URL, with the file that says the URL. Raises IdrError if none says it."""
    sections = {name: _merged(name, stack, above) for name in ("omero", "site")}
    found = {f"omero.{name}": sections["omero"].get(name, (stack, None)) for name in PARTS}
    pages = sections["site"].get("pages")
    _, distribution = sections["omero"].get("distribution", (stack, None))
    if distribution is not None and distribution.value == Distribution.DEMO and pages:
        found = {}
    where, jars = sections["omero"].get("jars", (stack, None))
    found |= {f"omero.jars.{number}": (where, jar) for number, jar in enumerate(jars.value if jars else ())}
    found |= {"site.pages": pages} if pages else {}
    return [Pinned(written, setting, part) for setting, (written, part) in found.items()]


def _merged(section: str, stack: Written, above: Written | None) -> dict[str, tuple[Written, Any]]:
    """Return the parts of a section, each with the file that says what it is."""
    merged = {name: (stack, node) for name, node in stack.section(section).items()}
    if above is None:
        return merged
    for name, node in above.section(section).items():
        if node.tag == NOTHING:
            merged.pop(name, None)
        elif not isinstance(node, yaml.MappingNode) or "url" in dict(_entries(node)):
            merged[name] = (above, node)
    return merged


def _entries(node: Any) -> list[tuple[str, Any]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def pin(file: Path, fetch: Callable[[Pinned], str], *, renew: bool = False, archives: bool = True) -> dict[str, str]:
    """Write the sum of each file beside its URL, and the lock files of packages, all or none.

    Without `archives` the lock files alone. Returns the sums by setting. Raises IdrError when a file cannot be fetched,
    or has another sum than the one written there and `renew` is false.
    """
    document(file)
    try:
        stack = Written(file, file.read_bytes().decode())
    except UnicodeDecodeError:
        msg = f"{file.name}: save it as UTF-8; only then can a sum be written into it"
        raise IdrError(msg) from None
    above = _overrides(stack)
    parts = pinned(stack, above) if archives else []
    locked = _locked(stack, above, renew=renew)
    sums = {part.setting: fetch(part) for part in parts}
    for part in parts:
        if part.sha256 not in (None, sums[part.setting]) and not renew:
            msg = (
                f"idr:{part.setting}: {part.url} has SHA-256 {sums[part.setting]}, {part.written.path.name} says "
                f"{part.sha256}: not the file that was pinned. Find out why; --renew takes the new one. "
                "Nothing was written"
            )
            raise IdrError(msg)
    for written in (stack, above):
        if written and (edits := [part.edit(sums[part.setting]) for part in parts if part.written is written]):
            _write(written, edits)
    for base, (lock, content) in locked.items():
        lock.write_text(content)
        sums[base.setting] = hashlib.sha256(content.encode()).hexdigest()
    return sums


def _write(written: Written, edits: Iterable[tuple[int, int, str]]) -> None:
    text = written.text
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    new_file = written.path.with_suffix(".new")
    new_file.write_bytes(text.encode())
    new_file.chmod(written.path.stat().st_mode & 0o777)
    new_file.replace(written.path)


def _locked(stack: Written, above: Written | None, *, renew: bool) -> dict[Base, tuple[Path, str]]:
    """Return the lock files that the settings name, with the new text of each."""
    locks = {}
    for base in BASES:
        _, node = _merged(base.section, stack, above).get(base.key, (stack, None))
        if node is None or node.tag == NOTHING:
            continue
        try:
            lock = stack.path.parent / site_folder.file_path(node.value, ENDING)
        except site_folder.FolderError as error:
            msg = f"idr:{base.setting}: {error}"
            raise IdrError(msg) from None
        locks[base] = (lock, addons.resolved(base, lock, renew=renew))
    return locks


def fetch_sum(part: Pinned, progress: Progress) -> str:
    """Return the SHA-256 of the file at its URL. Raises IdrError when the download fails."""
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
