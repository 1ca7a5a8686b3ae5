"""`idr manifest`: write the checksums of a tree before disks are shipped, and verify them at the destination."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from idr import cli
from idr.errors import IdrError
from idr.manifest.sums import Sum, differences, line, read, tree

SHOWN = 10
"""How many bad files are printed; `--report` has all."""
BAD = ("missing", "different", "added", "unreadable")


def command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The tree.")],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The manifest; not in the tree.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare the tree with the manifest instead of writing it.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="With --verify: write all differences to this file."),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="How many files are read at once.")] = 4,
    as_json: cli.AsJson = False,
) -> None:
    """Write the SHA-256 of every file of a tree, or verify them.

    The manifest has the format of `sha256sum`, which can verify it too. Links are skipped.

    Exit status: 0 all files match, 1 some do not, 2 wrong usage.
    """
    for written in filter(None, (file, report)):
        if folder.resolve() in written.resolve().parents:
            msg = f"{written} is in {folder}: a manifest cannot hold what is being written"
            raise typer.BadParameter(msg)
    if report and not verify:
        raise typer.BadParameter("--report goes with --verify")
    if file.exists() and not verify:
        msg = f"{file} exists already: give --verify to compare the tree with it, or another name"
        raise IdrError(msg)
    try:
        done = _verify(folder, file, report, parallel) if verify else _write(folder, file, parallel)
    except OSError as error:
        msg = f"{error.filename}: {error.strerror}"
        raise IdrError(msg) from None
    bad = [f"{done[what]} {what}" for what in BAD if done.get(what)]
    if as_json:
        cli.print_json(done)
    else:
        result = f"all are as {file} says" if verify else f"their sums are in {file}"
        cli.console().print(f"{done['files']} files, {decimal(done['bytes'])}" + ("" if bad else f": {result}"))
    if bad:
        msg = f"{folder} is not as {file} says: {', '.join(bad)}"
        raise IdrError(msg)


def _write(folder: Path, file: Path, parallel: int) -> dict[str, int]:
    done: Counter[str] = Counter()
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        with unfinished.open("w", errors="surrogateescape", newline="\n") as out:
            for one in _counted(tree(folder, parallel), done):
                if one.problem:
                    msg = f"{folder / one.path}: {one.problem}. {file} is not written: it would lack this file"
                    raise IdrError(msg)
                out.write(line(one))
        if not done["files"]:
            raise _empty(folder)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return {"files": done["files"], "bytes": done["bytes"]}


def _verify(folder: Path, file: Path, report: Path | None, parallel: int) -> dict[str, int]:
    done: Counter[str] = Counter()
    with (
        file.open(errors="surrogateescape", newline="\n") as lines,
        cli.opened(report) as out,
    ):
        for one in differences(read(lines, file.name), _counted(tree(folder, parallel), done)):
            done[one.what] += 1
            if out:
                out.write(f"{one.what}\t{one.path}\n")
            elif sum(done[what] for what in BAD) <= SHOWN:
                typer.echo(f"{one.what:<10} {one.path}".encode(errors="replace").decode(), err=True)
    if not done["files"] and not done["missing"]:
        raise _empty(folder)
    return {name: done[name] for name in ("files", "bytes", *BAD)}


def _empty(folder: Path) -> IdrError:
    return IdrError(f"{folder} has no files: is it mounted?")


def _counted(sums: Iterator[Sum], done: Counter[str]) -> Iterator[Sum]:
    """Yield the sums, count files and bytes, and show the progress."""
    console = cli.error_console()
    log = cli.Log(console)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("")
        for one in sums:
            done.update(files=1, bytes=one.size)
            so_far = f"{done['files']} files, {decimal(done['bytes'])}"
            progress.update(task, description=so_far)
            log.show(so_far)
            yield one
