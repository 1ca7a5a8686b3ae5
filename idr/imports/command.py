"""`idr import`: import images in place on the read-write node, from a list."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from idr import cli, outputs
from idr.errors import IdrError
from idr.importer.rows import RowError, valid_name
from idr.imports import beside, bulk, show
from idr.imports.remote import Remote, Request
from idr.remote import configuration, read_write_node

CONTINUES = 75
"""EX_TEMPFAIL of sysexits.h: the import continues on the node."""
POLL_SECONDS = 5.0


def command(
    file: Annotated[
        Path,
        typer.Argument(
            dir_okay=False, exists=True, help="A bulk file, as of `omero import --bulk`, or a list in YAML."
        ),
    ],
    user: Annotated[
        str | None, typer.Option(help="The OMERO user whose images they will be; OMERO asks for the password.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="The OMERO group. Default: the user's own.")] = None,
    release: Annotated[str | None, typer.Option(help="Where to import. Default: the live release.")] = None,
    name: Annotated[str | None, typer.Option(help="What the import is called. Default: the list's name.")] = None,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="How many rows are imported at once.")] = 4,
    per_mount: Annotated[int, typer.Option(min=1, max=32, help="How many of these may be on one mount.")] = 4,
    check: Annotated[bool, typer.Option("--check", help="Only look whether every path is there and complete.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Only show how the import is.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Begin no more rows; those under way end.")] = False,
    replace_annotations: Annotated[
        bool, typer.Option("--replace-annotations", help="Replace annotations that this import did not make, too.")
    ] = False,
    stack: cli.OptionalStack = None,
    source: outputs.From = None,
    as_json: cli.AsJson = False,
    identity: cli.Identity = None,
    login: cli.Login = None,
) -> None:
    """Import images in place (ln_s), from a list, on the read-write node.

    First looks at every path. The node imports by itself, also when this command ends. Then it gives the new images
    their rendering settings, or opens each once, and the containers their annotations: from the files beside the list
    that begin as it does (-renderdef.yml, -annotation.csv, -bulkmap-config.yml). After an interruption, or when some
    rows failed, run the same command again: nothing is done twice.

    Exit status: 0 all is imported (or well, with --check), 1 something is wrong, 2 wrong usage, 75 the import goes on.
    """
    if check + report + stop > 1:
        raise typer.BadParameter("give one of --check, --report and --stop")
    request = Request(bulk.read(file), beside.read(file), parallel, per_mount, replace_annotations)
    called = _name(name, file)
    topology = outputs.read(stack, source).topology
    with configuration(topology, identity, login) as ssh:
        remote = Remote(ssh, read_write_node(topology, release or topology.live, "imports"))
        if check:
            _check(remote, request, as_json=as_json)
            return
        if stop:
            remote.stop(called)
        elif not report:
            _begin(remote, called, request, (user, group))
            _follow(remote, called)
        about = remote.report(called)
    if as_json or about["state"] != "unknown":
        _show(about, whole=report, as_json=as_json)
    if about["state"] == "unknown":
        raise IdrError(f"{remote.node.name}: there is no import {called}; its name is the list's, or that of --name")
    failed = about["failed"] or any(step["state"] == "failed" for step in about["following"])
    if failed or about["state"] == "halted" or (about["state"] == "stopped" and not stop):
        raise typer.Exit(cli.FAILED)


def _name(option: str | None, file: Path) -> str:
    try:
        return valid_name(option or beside.stem(file))
    except RowError as error:
        msg = f"{error}; give another one with --name"
        raise IdrError(msg) from None


def _check(remote: Remote, request: Request, *, as_json: bool) -> None:
    faults = remote.faults(request.rows)
    if as_json:
        cli.print_json({"rows": len(request.rows), "faults": faults, "beside": list(request.beside)})
    elif not faults:
        cli.console().print(f"{len(request.rows)} rows: every path is there, complete, and can be read")
        cli.console().print(f"Beside the list: {', '.join(request.beside) or 'nothing that is to follow'}")
    if faults:
        raise IdrError("\n".join(show.faults(faults, len(request.rows))))


def _begin(remote: Remote, name: str, request: Request, who: tuple[str | None, str | None]) -> None:
    """Start the import, unless it already runs."""
    if remote.report(name)["state"] == "running":
        return
    if faults := remote.faults(request.rows):
        raise IdrError("\n".join(show.faults(faults, len(request.rows))))
    user, group = who
    if not remote.has_session(name):
        if user is None:
            raise IdrError("nobody is logged in to OMERO for this import: give --user")
        remote.log_in(name, user, group)
    remote.queue(name, request)


def _follow(remote: Remote, name: str) -> None:
    """Wait until the import ends."""
    try:
        with show.Bar() as bar:
            while (about := remote.report(name))["state"] == "running":
                bar.show(about)
                time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        typer.echo(f"The import goes on at {remote.node.name}; --report shows how it is, --stop ends it.", err=True)
        raise typer.Exit(CONTINUES) from None


def _show(about: dict[str, Any], *, whole: bool, as_json: bool) -> None:
    if as_json:
        cli.print_json(about)
        return
    if whole:
        show.rows(about)
    show.failures(about)
    cli.console().print(show.summary(about))
    if about["state"] == "finished" and not whole:
        cli.console().print(show.NEXT_STEP)
