"""`idr storage`: size of each study, and differences between database and files, on the live release."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer
from pydantic import ValidationError
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from idr import cli, outputs
from idr.errors import IdrError
from idr.remote import NO_CONNECTION, arguments, configuration, failure, read_write_node
from idr.storage.growth import HARMFUL, KINDS, Fault, Line, Report, harmful, studies
from model.outputs.topology import NodeView

SHOWN = 5
"""How many faults of each kind are printed; `--faults` has all."""
CONNECT_SECONDS = 20
PROGRAM = "/usr/local/lib/idr/omero-readwrite/storage-report"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def _storage() -> None:
    """Report the size of studies, and differences between database and files."""


@app.command()
def report(
    stack: cli.OptionalStack = None,
    source: outputs.From = None,
    faults: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write every fault to this file, a line of JSON each.")
    ] = None,
    as_json: cli.AsJson = False,
    identity: cli.Identity = None,
    login: cli.Login = None,
) -> None:
    """Sizes by study with their growth since the last report, and what differs between database and files.

    Looks at every file on the live release's read-write node, and changes none. The node keeps the sums for the next
    report.

    Exit status: 0 every image has its files, 1 some have not, or there is no report.
    """
    topology = outputs.read(stack, source).topology
    node = read_write_node(topology, topology.live, "looks at the files")
    shown: dict[str, list[Fault]] = {kind: [] for kind in KINDS}
    with (
        configuration(topology, identity, login) as file,
        cli.opened(faults) as out,
    ):
        done = _report(_lines(file, node), node, shown, out)
    if as_json:
        cli.print_json(
            done.model_dump(mode="json", by_alias=True)
            | {"growth": [asdict(study) for study in studies(done)]}
            | {"first": [one.model_dump() for some in shown.values() for one in some]}
        )
    else:
        _show(done, shown, faults)
    if harmful(done):
        raise typer.Exit(cli.FAILED)


def _lines(config: Path, node: NodeView) -> Iterator[str]:
    """Run the scan on the node, and yield its lines. Raises IdrError if it fails."""
    command = arguments(config, node, ["sudo", "-n", PROGRAM], CONNECT_SECONDS)
    # Errors go to a file: with a pipe that nobody reads ssh would block.
    with (
        tempfile.TemporaryFile("w+", errors="replace") as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace"
        ) as process,
    ):
        yield from process.stdout or ()
        if process.wait():
            errors.seek(0)
            msg = f"{node.name}: {_reason(errors.read().strip(), process.returncode)}"
            raise IdrError(msg)


def _reason(errors: str, status: int) -> str:
    if status == NO_CONNECTION:
        return failure(errors, status)
    if "a password is required" in errors:
        return "your account may not look at all files; idr:operators must give it the role operator"
    if "command not found" in errors:
        return "it has no program for this: with the demo there are no files; else `pulumi up` brings it"
    return errors.splitlines()[-1] if errors else f"the scan ended with status {status}"


def _report(lines: Iterator[str], node: NodeView, shown: dict[str, list[Fault]], out: TextIO | None) -> Report:
    """Read all lines of a scan, keep the first faults of each kind, and write all to `out`."""
    console = cli.error_console()
    log = cli.Log(console)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    done = None
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{node.name} asks the database")
        for text in lines:
            line = _line(text, node)
            if line.looked_at:
                so_far = f"{line.looked_at} files"
                progress.update(task, description=so_far)
                log.show(f"{node.name}: {so_far}")
            elif line.kind:
                if out:
                    out.write(text)
                if len(some := shown.setdefault(line.kind, [])) < SHOWN:
                    some.append(Fault.model_validate_json(text))
            else:
                done = line.report
    if done is None:
        msg = f"{node.name}: the scan ended without a report"
        raise IdrError(msg)
    return done


def _line(text: str, node: NodeView) -> Line:
    try:
        return Line.model_validate_json(text)
    except ValidationError:
        msg = f"{node.name}: invalid line of the scan: {text[:80]!r}"
        raise IdrError(msg) from None


def _show(done: Report, shown: dict[str, list[Fault]], faults: Path | None) -> None:
    console = cli.console()
    table = cli.table("study", "files", "size", "grown")
    for one in studies(done):
        grown = "" if one.grown is None else f"{'-' if one.grown < 0 else '+'}{decimal(abs(one.grown))}"
        table.add_row(one.name or "(of no project or screen)", str(one.files), decimal(one.bytes), grown)
    console.print(table)
    since = f"Growth since {done.before.taken}. " if done.before else "The first report: the next one shows growth. "
    console.print(f"{since}Looked for {done.seconds:.0f} s, with {done.memory_mib} MiB.")
    for kind, text in KINDS.items():
        size = done.faults[kind]
        if not size.files:
            continue
        console.print(f"{size.files} files, {decimal(size.bytes)}, are {text}:", style="red" if kind in HARMFUL else "")
        for fault in shown[kind]:
            console.print(f"  {fault.path}" + (f" ({fault.study})" if fault.study else ""))
        if size.files > SHOWN:
            console.print("  ..." if faults else "  ... (--faults FILE writes all to a file)")
    if not harmful(done):
        console.print("Every file that the database names is there.")
