"""Shared parts of the `idr` commands: options, exit status, errors, and output for people or for programs."""

import json
import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from idr import checkout
from idr.errors import IdrError
from idr.version import version
from model.reading import SettingsError

FAILED = 1
"""Exit status for problems; typer itself ends with 2 on wrong usage."""
LINE_SECONDS = 60.0
"""Seconds between two lines of progress in a log."""


def _complete_stack(incomplete: str) -> list[str]:
    try:
        return [name for name in checkout.stack_names() if name.startswith(incomplete)]
    except checkout.NoCheckoutError:
        return []


def _without_organization(given: str | None) -> str | None:
    """Return the last part of `organization/project/stack`, which Pulumi accepts too."""
    if given is None:
        return None
    parts = given.split("/")
    if len(parts) > 3 or not all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", part) for part in parts):
        raise typer.BadParameter(f"{given!r} is no name of a stack: letters, digits, '_', '.' and '-'")
    return parts[-1]


_stack: Any = typer.Option(
    "--stack",
    "-s",
    envvar="PULUMI_STACK",
    callback=_without_organization,
    help="Name of the stack, as in Pulumi.<stack>.yaml.",
    autocompletion=_complete_stack,
)
Stack = Annotated[str, _stack]
OptionalStack = Annotated[str | None, _stack]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _default_identity(given: Path | None) -> Path | None:
    if given:
        return given
    try:
        key = checkout.folder() / ".local" / "ssh" / "id_ed25519"
    except checkout.NoCheckoutError:
        return None
    return key if key.exists() else None


Identity = Annotated[
    Path | None,
    typer.Option(
        envvar="IDR_IDENTITY",
        exists=True,
        dir_okay=False,
        resolve_path=True,
        callback=_default_identity,
        help="Private key to offer beside the ssh agent's. Default: the one that `make up` created, if any.",
    ),
]


Login = Annotated[
    str | None, typer.Option(envvar="IDR_LOGIN", help="Your account on the nodes. Default: `idr`, for plain keys.")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"idr {version()}")
        raise typer.Exit


def _joined(text: str | None) -> str:
    """Return a docstring with each paragraph on one line. typer wraps the lines of a paragraph one by one."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in (text or "").split("\n\n"))


class _Modules(Mapping[str, Any]):
    """Commands by their names. Each is imported when it is used, so that none waits for the imports of others.

    A command with subcommands is an application of typer.
    """

    def __init__(self, functions: Mapping[str, str]) -> None:
        self._functions = functions

    def __getitem__(self, name: str) -> Any:
        function = resolve_name(self._functions[name])
        if isinstance(function, typer.Typer):
            group: Any = typer.main.get_command(function)
            group.name = name
            for one in group.commands.values():
                one.help = _joined(one.help)
            return group
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(function)
        command = typer.main.get_command(alone)
        command.help = _joined(command.help)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


class _Commands(TyperGroup):
    """Prints errors that a user can correct on standard error, without a traceback; the exit status is then 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the command line names."""
        try:
            return super().invoke(ctx)
        except (IdrError, SettingsError) as error:
            for line in str(error).splitlines():
                typer.echo(f"error: {line}", err=True)
            raise typer.Exit(FAILED) from None


def application(functions: Mapping[str, str]) -> typer.Typer:
    """Create an application of these commands: their names, and the function of each as `package.module:function`."""

    class Commands(_Commands):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given | {"commands": _Modules(functions)})

    app = typer.Typer(
        cls=Commands,
        help="What operators of the IDR do beside `pulumi up`.",
        epilog="Exit status: 0 all is well, 1 something is wrong (explained on standard error), 2 wrong usage.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def _options(
        shown: Annotated[  # its callback ends the program
            bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
        ] = False,
    ) -> None:
        pass

    return app


def console() -> Console:
    """Return the console for people: coloured on a terminal, plain and never wrapped in a pipe."""
    # No markup: an image may be named `[EOL] Debian 12`.
    on_terminal = Console(highlight=False, markup=False, emoji=False)
    if on_terminal.is_terminal:
        return on_terminal
    return Console(highlight=False, markup=False, emoji=False, width=1000, soft_wrap=True)


def table(*headers: str, whole: Collection[str] = ()) -> Table:
    """Create a table that truncates nothing: columns in `whole` are not wrapped, the others are."""
    result = Table()
    for header in headers:
        result.add_column(header, overflow="fold", no_wrap=header in whole)
    return result


def error_console() -> Console:
    """Return the console for progress: standard error, so that programs can read the result on standard output."""
    return Console(stderr=True, highlight=False)


class Log:
    """A line a minute of how far a long command is, where `console` is no terminal, which has a bar for that."""

    def __init__(self, console: Console) -> None:
        self._is_wanted = not console.is_terminal
        self._last = time.monotonic()

    def show(self, text: str) -> None:
        """Say it on standard error, if the last line was a minute ago."""
        now = time.monotonic()
        if self._is_wanted and now - self._last >= LINE_SECONDS:
            self._last = now
            typer.echo(text, err=True)


def print_json(data: Any) -> None:
    """Print data as JSON, always the same text for the same data."""
    typer.echo(json.dumps(data, indent=2, default=str))


def opened(file: Path | None) -> AbstractContextManager[TextIO | None]:
    """Open a file for names of any bytes, before long work that fills it. Raises IdrError if it cannot be written."""
    try:
        return file.open("w", errors="surrogateescape", newline="\n") if file else nullcontext()
    except OSError as error:
        msg = f"{file}: {error.strerror}"
        raise IdrError(msg) from None


def write(text: str, file: Path | None) -> None:
    """Write text to a file, or to standard output. Raises IdrError if the file cannot be written."""
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text)
    except OSError as error:
        msg = f"{file}: {error.strerror}"
        raise IdrError(msg) from None
