"""The passphrase that encrypts a stack's secrets: from the environment, or a new one in a file of the user."""

import os
import secrets
from pathlib import Path

FOLDER = Path("~/.config/idr")
VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def variable() -> str | None:
    """Return the environment variable that gives Pulumi a passphrase; None if none does."""
    return next((name for name in VARIABLES if name in os.environ), None)


def ensure(stack: str) -> Path | None:
    """Make sure that Pulumi has a passphrase; return the file to keep where one was created or found for the stack.

    A passphrase that the environment gives is used as it is. Otherwise `~/.config/idr/STACK.passphrase` is, made where
    it is missing; the environment of this process then names it. Nothing is printed: the value is a secret.
    """
    if variable():
        return None
    file = FOLDER.expanduser() / f"{stack}.passphrase"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(32))
    os.environ["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(file)
    return file
