"""The command line of `idr review`, for operators and for CI."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from idr import checkout, engine, stack_file
from idr.cli import FAILED, AsJson, Stack, console, print_json
from idr.errors import IdrError
from idr.review import preview, render, rules
from idr.review.rules import Change
from idr.review.summary import summarize
from model.reading import SettingsError


def command(
    stack: Stack,
    preview_file: Annotated[
        str | None,
        typer.Option("--preview", help="A file with `pulumi preview --json --show-sames`, or - for standard input."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Lift a guard rail by its name (repeat for several): {', '.join(rules.NAMES)}.",
            autocompletion=lambda incomplete: [name for name in rules.NAMES if name.startswith(incomplete)],
        ),
    ] = None,
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a comment.")] = False,
) -> None:
    """Summarise what an update would do, the most dangerous changes first, and fail if it breaks a guard rail.

    Without --preview the engine makes one. Exit status 1 if a guard rail is broken or the preview fails.
    """
    lifted = frozenset(allow or ())
    if unknown := sorted(lifted.difference(rules.NAMES)):
        msg = f"no guard rail is called {', '.join(unknown)}; there are: {', '.join(rules.NAMES)}"
        raise typer.BadParameter(msg, param_hint="--allow")
    # First, because the engine does not name the line of a YAML error.
    settings = _stack_file(stack, needed=preview_file is None)
    shown = preview.read(_preview_of_engine(stack) if preview_file is None else _read_preview(preview_file))
    summary = summarize(shown, stack, _missing(stack))
    breaches = rules.check(Change(shown, settings), lifted)
    if as_json:
        print_json(render.data(summary, breaches))
    elif as_markdown:
        typer.echo(render.markdown(summary, breaches), nl=False)
    else:
        _show(render.text(summary, breaches))
    if shown.errors or any(not breach.allowed for breach in breaches):
        raise typer.Exit(FAILED)


def _read_preview(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode(json.detect_encoding(data), "replace")
    except OSError as error:
        msg = f"cannot read {name}: {error.strerror}"
        raise typer.BadParameter(msg, param_hint="--preview") from None


def _preview_of_engine(stack: str) -> str:
    typer.echo(f"asking the engine what `pulumi up -s {stack}` would do...", err=True)
    done = engine.attempt("preview", "--stack", stack, "--json", "--show-sames")
    # A preview that fails half-way is JSON too, and is summarised; one that never started is not.
    if done.returncode and not done.stdout.lstrip().startswith("{"):
        text = (done.stderr.strip() or done.stdout.strip()).removeprefix("error: ")
        if "is missing configuration value" in text:
            # The engine accepts a misspelt key, so mistakes in the file are reported first and end the review.
            stack_file.read(stack)
        raise IdrError(f"{text}{engine.advice(done)}")
    return done.stdout


def _show(text: str) -> None:
    out = console()
    for line in text.splitlines():
        out.print(Text(line, "red" if line.startswith("FAIL ") else ""))


def _missing(stack: str) -> list[str]:
    try:
        return stack_file.read(stack).missing()
    except (IdrError, SettingsError):
        # The file does not exist, or the preview reports its mistakes.
        return []


def _stack_file(stack: str, *, needed: bool) -> dict[str, Any] | None:
    try:
        file = checkout.stack_file(stack)
    except checkout.NoCheckoutError:
        if needed:
            raise
        typer.echo("note: there is no checkout here, so secrets are looked for in the preview only", err=True)
        return None
    if not file.is_file():
        return None
    document = stack_file.document(file)
    return document if isinstance(document, dict) else {}
