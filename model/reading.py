"""Parse the values of files into typed settings, or report all mistakes at once: file, key, allowed values."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from model import explanation, memory, named_files, plain_secrets, site_folder, site_roles
from model.field_types import SEALED
from model.overrides import Keys, Origins
from model.planning import plan
from model.raw_storage import SETTING, by_name, former_names, open_shares
from model.role_description import Distribution, RoleError
from model.roles import SiteRole
from model.secrets import secret_names
from model.settings import Settings
from model.site_folder import FileError
from model.spelling import instead

SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 8
"""Distinct characters in a stack secret, against `aaaa...`."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [-+]\d{4} \S+")
"""A date from YAML, in the engine's text form (Go's time.Time.String)."""

NAMESPACE: Final = "idr:"
"""The prefix of the program's own keys in a stack file."""
DEMO_STACK = "local"

CHECKOUT = Path(__file__).resolve().parents[1]


class SettingsError(Exception):
    """The settings are invalid; the text names every mistake, a line each."""


@dataclass(frozen=True)
class Source:
    """The source of settings: the stack's name and file, and the keys that are encrypted there.

    `origins` has the files of values from other files. `folder` is the folder of the stack file.
    """

    stack: str
    file: str
    encrypted: frozenset[str] = frozenset()
    origins: Origins = field(default_factory=dict)
    folder: Path = CHECKOUT

    def file_of(self, path: Keys) -> str:
        """Return the file that sets the value at `path`, or a part of it."""
        named = {file for known, file in self.origins.items() if known[: len(path)] == path}
        return named.pop() if len(named) == 1 else self.file


def parse(values: Mapping[str, Any], source: Source) -> Settings:
    """Parse the settings of a stack from the values under `idr:`, given without that prefix.

    Raises SettingsError with every mistake, a line each: file, key, problem.
    """
    plain = dict(plain_secrets.of_stack_file(values, source.encrypted)) | dict(_unusable_texts(values))
    wrong = [f"{source.file}: idr:{key}: {reason}" for key, reason in plain.items()]
    refused = {(key,) for key in plain}
    try:
        site = _site_roles(values, source)
        read = {site_roles.SETTING: tuple(site.values()), **named_files.read(values, source.folder, source.file_of)}
    except (SettingsError, FileError) as error:
        raise SettingsError("\n".join([*wrong, str(error)])) from None
    try:
        settings = Settings.model_validate({**values, **read}, context=site)
    except ValidationError as error:
        wrong += [
            f"{source.file_of(_path(item))}: {_key(_path(item))}: {problem}"
            for item in error.errors()
            if _path(item)[:1] not in refused
            for problem in _explained(item)
        ]
        raise SettingsError("\n".join(wrong)) from None
    wrong += [f"{source.file}: {line}" for line in _beyond_types(settings, source.stack)]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def _site_roles(values: Mapping[str, Any], source: Source) -> dict[str, SiteRole]:
    try:
        return site_roles.read(values.get(site_roles.SETTING), source.folder)
    except site_folder.FolderError as error:
        msg = f"{source.file_of((site_roles.SETTING,))}: idr:{site_roles.SETTING}: {error}"
    except RoleError as error:
        msg = str(error)
    raise SettingsError(msg)


def unset(settings: Settings, file: str) -> list[str]:
    """Return required settings that are not set yet, a line each, with how to set them."""
    return [f"{file}: idr:{key}: is not set yet; {_how_to_set(key, settings)}" for key in settings.missing()]


def notices(settings: Settings, file: str) -> list[str]:
    """Return what an operator should change although an `up` accepts it, a line each.

    That is: settings whose former name the next version does not read, and NFS that is open to all addresses for Manila
    shares.
    """
    texts = [*former_names(settings.storage_entries())]
    if not settings.storage_network:
        texts += open_shares(settings.raw_images())
    return [f"{file}: {text}" for text in texts]


def _how_to_set(key: str, settings: Settings) -> str:
    if key == "storageNetwork":
        named = ", ".join(f"{setting}.source" for setting in by_name(settings.storage_entries()))
        return f"without it {named} would open NFS to anywhere: set it, or name the server there by its address alone"
    if key.endswith("sha256"):
        return "`idr pin` finds it"
    if key == "stackSecret":
        return "choose one: openssl rand -hex 32 | pulumi config set --secret idr:stackSecret"
    return "only an operator of this cloud knows it"


def own_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values under `idr:` of a stack's configuration, without that prefix."""
    return {key.removeprefix(NAMESPACE): value for key, value in config.items() if key.startswith(NAMESPACE)}


def as_written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Decode the values under `idr:` as the engine passes them: objects and lists as JSON, other values as text.

    Empty texts and null are removed. `idr`, which reads the file itself, passes the same.
    """
    decoded = {key: _decoded(value) for key, value in values.items()}
    return {key: value for key, value in decoded.items() if value not in ("", None)}


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value == "null":
        return None
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # text that begins like JSON, such as an image named `[EOL] Debian 12`
        return value


def _is_weak(secret: str) -> bool:
    repeated = secret in (secret + secret)[1:-1]
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS or repeated


def _unusable_texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield top-level keys whose value contains an invalid text, with the reason."""
    for key, value in values.items():
        for text in _texts(value):
            if _DATE.fullmatch(text):
                yield key, f"YAML reads a date here, {text[:10]}: write it in quotes"
            elif not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                yield key, "holds half a character (a surrogate)"
            elif "\0" in text:
                yield key, "holds a NUL character"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (*_texts(key), *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _beyond_types(settings: Settings, stack: str) -> Iterator[str]:
    secret = settings.stack_secret
    if secret is not None and _is_weak(secret.get_secret_value()):
        yield f"idr:stackSecret: needs {SHORTEST_SECRET} random characters or more; make one with: openssl rand -hex 32"
    yield from (f"idr:previousStackSecret: {problem}" for problem in _cannot_be_renewed(settings))
    complete_plan = plan(settings, stack)
    yield from (f"idr: {problem}" for problem in memory.problems(complete_plan))
    known = secret_names(complete_plan)
    for name in settings.rotations.keys() - known:
        yield f"idr:rotations: '{name}' is the name of no secret of this stack; {instead(name, known)}"
    if settings.omero.distribution == Distribution.DEMO and stack != DEMO_STACK:
        yield (
            "idr:omero.distribution: 'demo' is for the stack 'local' only, since it keeps no data; use 'official' (to "
            "try a cloud: `idr init --layout single-node`)"
        )


def _cannot_be_renewed(settings: Settings) -> Iterator[str]:
    """Yield reasons why the update cannot replace the stack secret. A weak former secret is no reason."""
    present, former = settings.stack_secret, settings.previous_stack_secret
    if former is None:
        return
    if present is None:
        yield "is the former secret; idr:stackSecret must be the new one"
    elif present == former and present.get_secret_value() != SEALED:
        yield "is the same as idr:stackSecret; make a new one of that with: openssl rand -hex 32"
    if not settings.configure:
        yield "with `configure: false` no node can be changed: leave it out, and rebuild the nodes for other host keys"
    for name, release in settings.releases.items():
        if release.frozen:
            yield f"release {name} is frozen and would keep the former secret's keys: set its `frozen` to false first"


def _explained(item: ErrorDetails) -> Iterator[str]:
    path = _path(item)
    hint = explanation.suggestion(path, Settings, "docs/settings.md") if item["type"] == "extra_forbidden" else ""
    yield from (f"{problem}{hint}" for problem in explanation.problems(item, _key(path)))


def _path(item: ErrorDetails) -> Keys:
    parts = item["loc"]
    if parts[:1] == (SETTING,):
        # After the number of an entry pydantic adds its kind, which is not a key.
        parts = (*parts[:2], *parts[3:])
    return tuple(_printable(str(part)) for part in parts)


def _key(path: Keys) -> str:
    return f"idr:{'.'.join(path)}" if path else "idr"


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)
