"""Reads a stack file without the engine: settings and plan for commands that need no secret's value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from idr import checkout, engine
from idr.errors import IdrError
from model import yaml_text
from model.field_types import SEALED
from model.overrides_file import with_overrides
from model.plan import Plan
from model.planning import plan
from model.reading import DEMO_STACK, NAMESPACE, Source, as_written, notices, own_values, parse, unset
from model.secrets import Secrets, of_settings
from model.settings import Settings


class StackFileError(IdrError):
    """A stack file that cannot be read; the text says which and why."""


@dataclass(frozen=True)
class StackFile:
    """The content of a stack file. `provider` has the cloud's settings by their full names, SEALED where encrypted."""

    stack: str
    name: str
    settings: Settings
    provider: Mapping[str, Any]

    @cached_property
    def plan(self) -> Plan:
        """The plan of the stack."""
        return plan(self.settings, self.stack)

    def provider_setting(self, name: str) -> Any:
        """Return a setting of the cloud's provider, as `authUrl`; asks the engine where one of them is encrypted."""
        return self._opened.get(f"openstack:{name}")

    @cached_property
    def _opened(self) -> Mapping[str, Any]:
        return engine.config(self.stack) if SEALED in self.provider.values() else self.provider

    def secrets(self) -> Secrets:
        """Return the secrets of the stack. Raises StackFileError where the file was read without decryption."""
        secret = self.settings.stack_secret
        if secret is None or secret.get_secret_value() == SEALED:
            msg = f"{self.name}: idr:stackSecret: is not set yet"
            raise StackFileError(msg)
        return of_settings(self.settings, self.stack, secret.get_secret_value())

    def missing(self) -> list[str]:
        """Return the settings that only an operator can fill in and that are still empty, a line each."""
        return unset(self.settings, self.name)

    def notices(self) -> list[str]:
        """Return what an operator should change, and an `up` takes: a line each."""
        return notices(self.settings, self.name)


def read(stack: str, folder: Path | None = None, *, opened: bool = False) -> StackFile:
    """Read the file of a stack in `folder`, the checkout. Raises StackFileError, or SettingsError with every mistake.

    With `opened` the engine decrypts the secrets, for callers that need their values.
    """
    folder = folder or checkout.folder()
    shown, written = _written(stack, folder)
    readable = engine.config(stack) if opened else shown
    settings = parse(*with_overrides(as_written(own_values(readable)), written, folder))
    provider = {key: value for key, value in readable.items() if key.startswith("openstack:")}
    return StackFile(stack, written.file, settings, provider)


def merged(stack: str) -> tuple[dict[str, Any], Source]:
    """Return the values under `idr:` as written, SEALED where encrypted, with overrides, and where each came from.

    Raises as `read` does, also where a value is wrong.
    """
    folder = checkout.folder()
    shown, written = _written(stack, folder)
    together, source = with_overrides(as_written(own_values(shown)), written, folder)
    parse(together, source)
    return together, source


def _written(stack: str, folder: Path) -> tuple[dict[str, Any], Source]:
    """Return every value of the stack's file by its full name, SEALED where encrypted, and its `Source`."""
    file = folder / f"Pulumi.{stack}.yaml"
    values = _values(file, stack)
    shown = {key: _sealed(value) for key, value in values.items()}
    _require_types(shown, file.name)
    encrypted = own_values({key: value for key, value in values.items() if value != shown[key]})
    return shown, Source(stack, file.name, frozenset(encrypted))


def document(file: Path) -> Any:
    """Return the content of a file as the engine reads it. Raises StackFileError, with the line."""
    try:
        return yaml_text.load(file.read_bytes())
    except OSError as error:
        msg = f"{file.name}: cannot be read: {error.strerror}"
    except yaml_text.YamlError as error:
        msg = f"{file.name}: {error}"
    raise StackFileError(msg)


def _values(file: Path, stack: str) -> dict[str, Any]:
    if not file.is_file():
        known = ", ".join(checkout.stack_names()) or "none"
        create = "make up" if stack == DEMO_STACK else f"bin/idr init -s {stack}"
        msg = f"there is no {file.name}; stacks with a file: {known}. To create it: {create}"
        raise StackFileError(msg)
    written = document(file)
    values = written.get("config") if isinstance(written, dict) else None
    if not isinstance(values, dict):
        msg = f"{file.name}: has no `config:` with settings below it"
        raise StackFileError(msg)
    named: dict[str, Any] = {}
    for name, value in values.items():
        key = _full_name(name, file.name)
        if key in named:
            msg = f"{file.name}: {key} is there twice, once with its namespace and once without"
            raise StackFileError(msg)
        named[key] = value if isinstance(value, dict | list) else yaml_text.as_text(value)
    return named


def _full_name(written: str, file: str) -> str:
    """Return a key as Pulumi reads it: a name without a namespace is the project's (config/key.go)."""
    if ":" not in written:
        return f"{NAMESPACE}{written}"
    namespace, *between, name = written.split(":")
    if between not in ([], ["config"]):
        msg = f"{file}: '{written}' is no key of Pulumi's: these are <namespace>:<name>"
        raise StackFileError(msg)
    return f"{namespace}:{name}"


def _require_types(values: Mapping[str, Any], file: str) -> None:
    """Check values against the types in Pulumi.yaml, as the engine does, so that both accept the same files."""
    declared = yaml_text.load((checkout.folder() / "Pulumi.yaml").read_bytes())["config"]
    for key, about in declared.items():
        value = values.get(f"{NAMESPACE}{key}")
        if value is not None and not _TYPES[about["type"]](value):
            kind = _KINDS[about["type"]]
            msg = f"{file}: {NAMESPACE}{key}: must be {kind}"
            raise StackFileError(msg)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "boolean": lambda value: value in ("true", "false"),
    "string": lambda value: isinstance(value, str) and value != "null",
}
_KINDS = {
    "object": "a mapping of keys to values",
    "boolean": "true or false",
    "string": "text",
}


def _sealed(value: Any) -> Any:
    """Return the value with SEALED for what Pulumi has encrypted in it."""
    if isinstance(value, dict):
        secure = set(value) == {"secure"} and isinstance(value["secure"], str)
        return SEALED if secure else {key: _sealed(inner) for key, inner in value.items()}
    return [_sealed(inner) for inner in value] if isinstance(value, list) else value
