"""A stack file read without the engine: settings and plan for commands that need no secret's value."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from idr import engine
from idr.cli import PROJECT, stack_names
from idr.errors import IdrError
from model.field_types import SEALED
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse, with_overrides
from model.secrets import Secrets
from model.settings import Settings

NAMESPACE = "idr:"


class StackFileError(IdrError):
    """A stack file that cannot be read; the text says which and why."""


@dataclass(frozen=True)
class StackFile:
    """What a stack file says. `provider` has the cloud's settings by their full names, SEALED where encrypted."""

    stack: str
    name: str
    settings: Settings
    provider: Mapping[str, Any]

    @cached_property
    def plan(self) -> Plan:
        """What the stack consists of."""
        return plan(self.settings, self.stack)

    def provider_setting(self, name: str) -> Any:
        """A setting of the cloud's provider, as `authUrl`; asks the engine where one of them is encrypted."""
        return self._opened.get(f"openstack:{name}")

    @cached_property
    def _opened(self) -> Mapping[str, Any]:
        return engine.config(self.stack) if SEALED in self.provider.values() else self.provider

    def secrets(self) -> Secrets:
        """What the stack keeps secret. Raises StackFileError where the file was not read with its secrets opened."""
        secret = self.settings.stack_secret
        if secret is None or secret.get_secret_value() == SEALED:
            msg = f"{self.name}: idr:stackSecret: is not set yet"
            raise StackFileError(msg)
        return Secrets(self.stack, secret.get_secret_value(), dict(self.settings.rotations))

    def missing(self) -> list[str]:
        """What only an operator can fill in and has not, a line each."""
        return [f"{self.name}: idr:{key}: is not set yet" for key in self.settings.missing()]


def read(stack: str, folder: Path = PROJECT, *, opened: bool = False) -> StackFile:
    """The stack's file. Raises StackFileError, or SettingsError with every mistake in it.

    With `opened` the engine is asked for what is encrypted, for those who need the secrets themselves.
    """
    shown, written = _written(stack, folder)
    # All of it from the engine then: it hands the program objects with their keys sorted, and what lists nodes in
    # their order (/etc/hosts) must come out as the program has it.
    readable = engine.config(stack) if opened else shown
    settings = parse(*with_overrides(_mine(readable), written, folder))
    provider = {key: value for key, value in readable.items() if key.startswith("openstack:")}
    return StackFile(stack, written.file, settings, provider)


def merged(stack: str, folder: Path = PROJECT) -> tuple[dict[str, Any], Source]:
    """The IDR's own values as they are written, SEALED where encrypted, overrides included, and where each came from.

    Raises as `read` does; what it gives is usable.
    """
    shown, written = _written(stack, folder)
    together, source = with_overrides(_mine(shown), written, folder)
    parse(together, source)
    return together, source


def _written(stack: str, folder: Path) -> tuple[dict[str, Any], Source]:
    """Every value of the stack's file by its full name, SEALED where encrypted, and what the file is."""
    file = folder / f"Pulumi.{stack}.yaml"
    values = _values(file, stack)
    shown = {key: _sealed(value) for key, value in values.items()}
    encrypted = frozenset(key.removeprefix(NAMESPACE) for key, value in values.items() if value != shown[key])
    return shown, Source(stack, file.name, encrypted)


def _mine(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(NAMESPACE): value for key, value in values.items() if key.startswith(NAMESPACE)}


def _values(file: Path, stack: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        known = ", ".join(stack_names()) or "none"
        msg = f"there is no {file.name}; stacks with a file: {known}. `idr init -s {stack}` makes one"
        raise StackFileError(msg) from None
    except (OSError, yaml.YAMLError) as error:
        msg = f"{file.name}: cannot be read: {str(error).splitlines()[0]}"
        raise StackFileError(msg) from None
    values = document.get("config") if isinstance(document, dict) else None
    if not isinstance(values, dict):
        msg = f"{file.name}: has no `config:` with settings below it"
        raise StackFileError(msg)
    # As Pulumi reads it: a name without a namespace is the project's.
    return {key if ":" in key else f"{NAMESPACE}{key}": value for key, value in values.items()}


def _sealed(value: Any) -> Any:
    """The value with SEALED for what Pulumi has encrypted in it."""
    if isinstance(value, dict):
        return SEALED if set(value) == {"secure"} else {key: _sealed(inner) for key, inner in value.items()}
    return [_sealed(inner) for inner in value] if isinstance(value, list) else value
