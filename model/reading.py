"""Parses the values of files into typed settings, or reports every mistake at once: file, key, what is allowed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from model import explanation, memory, named_files, plain_secrets, site_folder, site_roles, yaml_text
from model.field_types import SEALED
from model.overrides import Keys, Origins, merge, nothing_to_take, origins
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
"""A value that YAML read as a date, in the engine's text form (Go's time.Time.String)."""

_OVERRIDES_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\.ya?ml")

DEMO_STACK = "local"
OVERRIDES = "overrides"

CHECKOUT = Path(__file__).resolve().parents[1]


class SettingsError(Exception):
    """The settings are not usable; the text names every mistake, a line each."""


@dataclass(frozen=True)
class Source:
    """Where settings were read: the stack's name and file, and which keys of it are encrypted there.

    `origins` says for values of other files which one that is. `folder` is where the file is.
    """

    stack: str
    file: str
    encrypted: frozenset[str] = frozenset()
    origins: Origins = field(default_factory=dict)
    folder: Path = CHECKOUT

    def file_of(self, path: Keys) -> str:
        """The file that sets the value at `path`, or a part of it."""
        named = {file for known, file in self.origins.items() if known[: len(path)] == path}
        return named.pop() if len(named) == 1 else self.file


def parse(values: Mapping[str, Any], source: Source) -> Settings:
    """The settings of a stack from the values under `idr:`, without that prefix.

    Raises SettingsError with every mistake, a line each: file, key, what is wrong.
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
    """What an `up` needs and the settings do not have yet, a line each, with who can fill it in."""
    return [f"{file}: idr:{key}: is not set yet; {_how_to_set(key, settings)}" for key in settings.missing()]


def notices(settings: Settings, file: str) -> list[str]:
    """What an operator should change, and an `up` takes: a line each.

    Settings under a name that the next version does not read, and NFS that is open to anywhere for Manila shares.
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


def as_written(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values under `idr:` from what the engine hands a program: objects and lists as JSON, the rest as text.

    Empty texts and null are left out. `idr`, which reads the file itself, passes the same.
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
    except (ValueError, RecursionError):  # text that only begins like JSON: an image named `[EOL] Debian 12`
        return value


def with_overrides(values: Mapping[str, Any], source: Source, folder: Path) -> tuple[dict[str, Any], Source]:
    """The values with those of the file that `overrides` names, and where each came from. Both files are in `folder`.

    Raises SettingsError when that file is not there, is no YAML mapping, or holds what only a stack file may.
    """
    source = replace(source, folder=folder)
    below = dict(values)
    name = below.pop(OVERRIDES, None)
    if name is None:
        return below, source
    if not isinstance(name, str):
        msg = f"{source.file}: idr:{OVERRIDES}: must be the name of a file"
        raise SettingsError(msg)
    above = _read_overrides(folder, name, source.file)
    if absent := [".".join(path) for path in nothing_to_take(below, above)]:
        msg = f"{name}: idr:{', idr:'.join(absent)}: null takes a setting away, and {source.file} does not have it"
        raise SettingsError(msg)
    merged = merge(below, above)
    where = origins(merged, above, source.file, name)
    return merged, replace(source, origins=where)


def _read_overrides(folder: Path, name: str, named_by: str) -> dict[str, Any]:
    if unusable := wrong_overrides(name, folder):
        msg = f"{named_by}: idr:{OVERRIDES}: {unusable}"
        raise SettingsError(msg)
    try:
        above = yaml_text.load((folder / name).read_bytes())
    except yaml_text.YamlError as error:
        msg = f"{name}: {error}"
        raise SettingsError(msg) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        msg = f"{named_by}: idr:{OVERRIDES}: cannot read {name!r}: {reason}"
        raise SettingsError(msg) from None
    if not isinstance(above, dict):
        msg = f"{name}: must be a mapping of settings, written without `idr:`"
        raise SettingsError(msg)
    wrong = [f"{name}: idr:{key}: {reason}" for key, reason in plain_secrets.of_overrides(above)]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return above


def wrong_overrides(name: str, folder: Path) -> str | None:
    """Why a file in `folder`, the checkout, cannot be one of overrides; None where it can."""
    try:
        wrong = _problem_of_path(name)
        if not wrong:
            site_folder.refuse_links(folder, PurePosixPath(name))
    except (site_folder.FolderError, ValueError) as error:  # ValueError: a NUL in the name
        return str(error)
    return wrong


def _problem_of_path(name: str) -> str | None:
    """Why the review would not see a change of that file (idr/review/affected.py); None where it would."""
    if not _OVERRIDES_FILE.fullmatch(name):
        return f"must be a YAML file of the checkout, as in site.yaml (given: {name!r})"
    if (first := name.split("/")[0]) in site_folder.APART:
        return f"cannot be in {first}/: the review takes no change there for a change of a stack"
    if first.startswith("Pulumi."):
        return "cannot be the file of a stack or of the project"
    return None


def _is_weak(secret: str) -> bool:
    repeated = secret in (secret + secret)[1:-1]
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS or repeated


def _unusable_texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Top-level keys whose value holds a text that can be in no file, with the reason."""
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
    """Why the update cannot replace the stack secret. A weak former one is no reason: it should be replaced."""
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
        # After the number of the entry pydantic puts its kind, which is not a key.
        parts = (*parts[:2], *parts[3:])
    return tuple(_printable(str(part)) for part in parts)


def _key(path: Keys) -> str:
    return f"idr:{'.'.join(path)}" if path else "idr"


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)
