"""Runs the Pulumi engine."""

import json
import os
import subprocess
from typing import Any

from idr import checkout
from idr.errors import IdrError
from idr.waiting import waiting
from model import messages

NO_STACK = "no stack named"
"""The engine's message for a `NoStackError`."""
EMPTY_METADATA = "failed to load checkpoint: EOF"
"""Its message after it was killed while it wrote `<stack>.json.attrs` beside the state (gocloud.dev, fileblob)."""


class EngineError(IdrError):
    """The engine failed; the text is its own message."""


class NoStackError(EngineError):
    """The state in use does not have the stack."""


def run(*arguments: str, text_input: str | None = None) -> str:
    """Return the output of a `pulumi` command in the checkout. Raises EngineError if it fails, or as `attempt` does."""
    done = attempt(*arguments, text_input=text_input)
    if done.returncode:
        kind = NoStackError if NO_STACK in done.stderr else EngineError
        raise kind(f"pulumi {arguments[0]} failed: {failure(done)}{advice(done)}")
    return done.stdout


def attempt(*arguments: str, text_input: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `pulumi` in the checkout; the caller checks its exit status.

    Raises EngineError when `pulumi` is not there, and NoCheckoutError when the checkout is not.
    """
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if text_input is None else {"input": text_input}
    command = ["pulumi", "--non-interactive", "--color", "never", *arguments]
    # With it the engine would add --yes, which read-only commands refuse.
    environment = {name: value for name, value in os.environ.items() if name != "PULUMI_SKIP_CONFIRMATIONS"}
    try:
        with waiting(f"pulumi {arguments[0]}"):
            return subprocess.run(
                command, cwd=checkout.folder(), env=environment, capture_output=True, text=True, check=False, **given
            )
    except FileNotFoundError:
        msg = "pulumi is not on PATH; open a new shell, or run: make toolchain"
        raise EngineError(msg) from None


def outputs(stack: str) -> dict[str, Any]:
    """Return the stack's outputs. Raises EngineError, also when the stack was never deployed."""
    values: dict[str, Any] = json.loads(run("stack", "output", "--stack", stack, "--json"))
    if not values:
        msg = f"stack '{stack}' has no outputs yet; run: pulumi up -s {stack}"
        raise EngineError(msg)
    return values


def backend() -> str:
    """Return the address of the state in use, for messages."""
    done = attempt("whoami", "--json")
    return str(json.loads(done.stdout)["url"]) if done.returncode == 0 else "not reachable"


def config(stack: str) -> dict[str, Any]:
    """Return every value of the stack's settings by its full name, secrets included."""
    settings: dict[str, dict[str, Any]] = json.loads(run("config", "--json", "--show-secrets", "--stack", stack))
    return {name: entry.get("objectValue", entry.get("value")) for name, entry in settings.items()}


def advice(done: subprocess.CompletedProcess[str]) -> str:
    """Return advice to add where a command found no such stack, or no state that can be read."""
    if EMPTY_METADATA in done.stderr:
        return (
            f"\nAn engine that was killed left an empty file in {backend()}: delete .pulumi/stacks/idr/*.json.attrs "
            "there, and let the address end with ?metadata=skip (docs/state.md). The state itself is whole."
        )
    if NO_STACK not in done.stderr:
        return ""
    return (
        f"\nThe state in use is {backend()}. If your team shares one, set PULUMI_BACKEND_URL (docs/state.md); "
        "`pulumi stack init` is for a stack that nobody has yet."
    )


def failure(done: subprocess.CompletedProcess[str]) -> str:
    """Return the complete error message of a command of the engine; the first error where it printed JSON."""
    text = done.stderr.strip() or done.stdout.strip()
    try:
        errors = [one["message"] for one in json.loads(text)["diagnostics"] if one["severity"] == "error"]
    except (json.JSONDecodeError, LookupError, TypeError):
        errors = []
    return messages.reason(errors[0]) if errors else messages.of_engine(text)
