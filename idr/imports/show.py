"""What `idr import` prints of an import, and the bar while it waits."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from idr import cli
from idr.importer.checks import FAULTS

SHOWN = 10
LEFT = "Left to do, see the guide: annotations, rendering settings, and `idr prewarm --fresh` for what the proxy keeps"


def faults(by_kind: Mapping[str, Any], rows: int) -> Iterator[str]:
    """A line for each kind of fault: how many paths have it, and the first."""
    for kind, about in by_kind.items():
        more = ", ..." if about["count"] > len(about["first"]) else ""
        yield f"{about['count']} of {rows} paths {FAULTS[kind]}: {', '.join(about['first'])}{more}"


def summary(about: Mapping[str, Any]) -> str:
    """An import in a line."""
    parts = [
        f"{about['name']}: {about['state']}; {about['done']} of {about['rows']} rows done",
        f"{about['failed']} failed",
        f"{about['images']} images",
    ]
    if about["state"] == "running":
        parts.append(_left(about["secondsLeft"]))
    return ", ".join(parts) + (f": {about['why']}" if about["why"] else "")


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "time left not known yet"
    return f"about {seconds / 3600:.1f} hours left" if seconds >= 3600 else f"about {seconds / 60:.0f} minutes left"


def rows(about: Mapping[str, Any]) -> None:
    """Print a table of all rows."""
    shown = cli.table("path", "target", "state", "size", "seconds", "images", "filesets", whole=["state", "seconds"])
    for row in about["each"]:
        filesets = ", ".join(map(str, row["filesets"]))
        size, seconds = decimal(row["bytes"]), f"{row['seconds']:.0f}"
        shown.add_row(row["path"], row["target"] or "", row["state"], size, seconds, str(row["images"]), filesets)
    cli.console().print(shown)


def failures(about: Mapping[str, Any]) -> None:
    """Print what failed, why, and where the log is."""
    out = cli.console()
    failed = [row for row in about["each"] if row["state"] == "failed"]
    for row in failed[:SHOWN]:
        out.print(f"{row['path']}: {row['error']}" + (f" (log on the node: {row['log']})" if row["log"] else ""))
    if len(failed) > SHOWN:
        out.print(f"... and {len(failed) - SHOWN} more: --report lists all rows")


class Bar:
    """How far an import is, on a terminal."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[about]}"),
        )
        console = cli.error_console()
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("rows", total=None, about="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, about: Mapping[str, Any]) -> None:
        """Show the progress."""
        ended = about["done"] + about["failed"]
        text = f"{about['images']} images, {about['failed']} failed, {_left(about['secondsLeft'])}"
        self._bar.update(self._task, total=about["rows"], completed=ended, about=text)
