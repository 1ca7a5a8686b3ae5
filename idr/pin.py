"""`idr pin`: fetch what the settings name of OMERO's distribution, and write the SHA-256 sums into the stack file.

What is on the machines later is what was here now: a node uses no file whose sum differs.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from idr import checkout, cli
from idr.errors import IdrError
from idr.stack_file import NAMESPACE, document

PARTS = ("server", "ice", "icePython")
KEY = "idr:omero"
TIMEOUT_SECONDS = 30.0
CHUNK = 1 << 16


class Pinned:
    """A part of the distribution as a stack file names it; `sha256` is the sum in the file, or None."""

    def __init__(self, text: str, name: str) -> None:
        """Find the part `name`. Raises IdrError when the file does not name it."""
        self.name = name
        config = _at(yaml.compose(text), "config")
        part = _at(config, KEY, name) or _at(config, KEY.removeprefix(NAMESPACE), name)
        fields = dict(_entries(part))
        if "url" not in fields:
            msg = f"{KEY}.{name}.url is not in the stack file: nothing to fetch"
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
        """Where in the text the sum goes: beginning, end, new text. Everything else stays, comments too."""
        if self._sum:
            return self._sum.start_mark.index, self._sum.end_mark.index, sha256
        end = self._url.end_mark.index if self._flow else self._line_end
        return end, end, f", sha256: {sha256}" if self._flow else f"{self._new_line}sha256: {sha256}"


def _at(node: Any, *path: str) -> Any:
    for key in path:
        node = dict(_entries(node)).get(key)
    return node


def _entries(node: Any) -> list[tuple[str, Any]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def pin(file: Path, fetch: Callable[[Pinned], str], *, renew: bool = False) -> dict[str, str]:
    """Write the sum of each part into the stack file, all or none; returns them by the part's name.

    Raises IdrError when a file cannot be fetched, or has another sum than the one written there and `renew` is false.
    """
    data = file.read_bytes()
    document(file)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        msg = f"{file.name}: save it as UTF-8; only then can a sum be written into it"
        raise IdrError(msg) from None
    parts = [Pinned(text, name) for name in PARTS]
    sums = {part.name: fetch(part) for part in parts}
    for part in parts:
        if part.sha256 not in (None, sums[part.name]) and not renew:
            msg = (
                f"{KEY}.{part.name}: {part.url} has SHA-256 {sums[part.name]}, {file.name} says {part.sha256}: "
                "not the file that was pinned. Find out why; --renew takes the new one. Nothing was written"
            )
            raise IdrError(msg)
    for start, end, new in sorted((part.edit(sums[part.name]) for part in parts), reverse=True):
        text = text[:start] + new + text[end:]
    written = file.with_suffix(".new")
    written.write_bytes(text.encode())
    written.chmod(file.stat().st_mode & 0o777)
    written.replace(file)
    return sums


def fetched(part: Pinned, progress: Progress) -> str:
    """The SHA-256 of the file at a part's URL. Raises IdrError when it does not come."""
    digest = hashlib.sha256()
    task = progress.add_task(part.name, total=None)
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
                    f"{part.name}: {part.url} leads to {answer.url}; a URL with a version stays true"
                )
    except httpx.HTTPStatusError as error:
        msg = f"{KEY}.{part.name}: {part.url} answers {error.response.status_code}. Nothing was written"
        raise IdrError(msg) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        msg = (
            f"{KEY}.{part.name}: cannot fetch {part.url}: {error}. `idr pin` needs a machine that reaches it "
            "(HTTPS_PROXY is honoured). Nothing was written"
        )
        raise IdrError(msg) from None
    return digest.hexdigest()


def command(
    stack: cli.Stack,
    renew: Annotated[bool, typer.Option("--renew", help="Replace sums that no longer fit.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Fetch OMERO's distribution as the stack file names it, and write the SHA-256 sums there."""
    file = checkout.stack_file(stack)
    if not file.is_file():
        msg = f"there is no stack file {file.name}; there are stacks: {', '.join(checkout.stack_names())}"
        raise IdrError(msg)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as progress:
        sums = pin(file, lambda part: fetched(part, progress), renew=renew)
    if as_json:
        cli.print_json(sums)
        return
    for name, digest in sums.items():
        cli.console().print(f"{name:<10} {digest}")
