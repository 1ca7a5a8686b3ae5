"""The output of `idr import`: tables, messages and the progress bar."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from idr import cli
from idr.importer.checks import FAULTS

SHOWN = 10
NEXT_STEP = "Left to do: what the proxy keeps, by `idr prewarm --only` with the report of this import (--report --json)"
WAITING = "The annotations wait until every row of the list is imported"


def faults(by_kind: Mapping[str, Any], rows: int) -> Iterator[str]:
    """Yield a line for each kind of fault: the number of paths, and the first ones."""
    for kind, about in by_kind.items():
        more = ", ..." if about["count"] > len(about["first"]) else ""
        yield f"{about['count']} of {rows} paths {FAULTS[kind]}: {', '.join(about['first'])}{more}"


def summary(about: Mapping[str, Any]) -> str:
    """Summarise an import in one line."""
    parts = [
        f"{about['name']}: {about['state']}; {about['done']} of {about['rows']} rows done",
        f"{about['failed']} failed",
        f"{about['images']} images",
    ]
    for kind in dict.fromkeys(step["kind"] for step in about["following"]):
        steps = [step for step in about["following"] if step["kind"] == kind]
        parts.append(f"{kind}: {sum(step['state'] == 'done' for step in steps)} of {len(steps)}")
    if about["state"] == "running":
        parts.append(_time_left(about["secondsLeft"]))
    return ", ".join(parts) + (f": {about['why']}" if about["why"] else "")


def _time_left(seconds: float | None) -> str:
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
    if about["following"]:
        steps = cli.table("what follows", "of", "state", "seconds", whole=["what follows", "state", "seconds"])
        for step in about["following"]:
            steps.add_row(step["kind"], step["of"], step["state"], f"{step['seconds']:.0f}")
        cli.console().print(steps)


def failures(about: Mapping[str, Any]) -> None:
    """Print failed rows and steps with the reason and the path of the log."""
    failed = [(row["path"], row) for row in about["each"] if row["state"] == "failed"]
    failed += [(f"{step['kind']}: {step['of']}", step) for step in about["following"] if step["error"]]
    out = cli.console()
    for name, one in failed[:SHOWN]:
        out.print(f"{name}: {one['error']}" + (f" (log on the node: {one['log']})" if one["log"] else ""))
    if len(failed) > SHOWN:
        out.print(f"... and {len(failed) - SHOWN} more: --report --json has all")
    if about["annotationsWait"]:
        out.print(WAITING)


class Bar:
    """The progress of an import: a bar on a terminal, a line each minute elsewhere."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[about]}"),
        )
        console = cli.error_console()
        self._log = cli.Log(console)
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("rows", total=None, about="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, about: Mapping[str, Any]) -> None:
        """Show the progress."""
        ended = sum(one["state"] in ("done", "failed") for one in (*about["each"], *about["following"]))
        total = about["rows"] + len(about["following"])
        text = f"{about['images']} images, {about['failed']} failed, {_time_left(about['secondsLeft'])}"
        self._bar.update(self._task, total=total, completed=ended, about=text)
        self._log.show(f"{ended} of {total} rows: {text}")
