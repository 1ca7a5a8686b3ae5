"""Read an entry of clouds.yaml like the provider (gophercloud/utils' `GetCloudFromYAML`)."""

import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from model.login import TRUE, ProviderError
from model.messages import reason
from model.provider import IDENTITY
from model.yaml_scanner import EngineScanner

Entry = dict[str, Any]

KINDS: dict[str, type] = {
    "auth": dict,
    "regions": list,
    **dict.fromkeys(("auth_type", "cacert", "cert", "cloud", "key", "profile", "region_name", "verify"), str),
}
"""The keys of an entry that are read, with their types."""
WORDS: dict[type, str] = {dict: "a mapping of keys to values", list: "a list", str: "text"}
READ_TAGS = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:null")


class _AsText(EngineScanner, yaml.SafeLoader):
    """Reads numbers and other scalars as text, so that a project may be called 007. `<<` merges."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own
        first: [resolver for resolver in resolvers if resolver[0] in READ_TAGS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def entry(name: str, region: str | None, folder: Path) -> Entry:
    """Return the entry `name`, merged with clouds-public.yaml, secure.yaml and its region. `folder` is the engine's.

    Raises ProviderError if there is none, or a file cannot be read.
    """
    clouds = _clouds(_main_file(folder), "clouds")
    if clouds is None:
        msg = f"openstack:cloud (OS_CLOUD) names '{name}', and there is no clouds.yaml in {_places(folder)}"
        raise ProviderError(msg)
    if name not in clouds:
        msg = f"clouds.yaml has no entry '{name}'; it has: {', '.join(sorted(clouds)) or 'none'}"
        raise ProviderError(msg)
    settings = clouds[name]
    if profile := settings.get("profile") or settings.get("cloud"):
        public = _clouds(_first(folder, "clouds-public"), "public-clouds") or {}
        if profile not in public:
            msg = f"clouds.yaml: '{name}' is of the profile '{profile}', which no clouds-public.yaml describes"
            raise ProviderError(msg)
        settings = _merged(settings, public[profile])
    settings = _merged((_clouds(_first(folder, "secure"), "clouds") or {}).get(name, {}), settings)
    settings.setdefault("verify", True)
    regions = [known for known in settings.get("regions") or [] if isinstance(known, dict)]
    values = next((known.get("values") for known in regions if region and known.get("name") == region), None)
    return _merged(values or {}, settings)


def _main_file(folder: Path) -> Path | None:
    asked = os.environ.get("OS_CLIENT_CONFIG_FILE")
    if asked and (folder / asked).is_file():
        return folder / asked
    return _first(folder, "clouds")


def _first(folder: Path, name: str) -> Path | None:
    files = (directory / f"{name}{ending}" for ending in (".yaml", ".yml") for directory in _folders(folder))
    return next((file for file in files if file.is_file()), None)


def _folders(folder: Path) -> Iterator[Path]:
    # Go asks the password database for the home folder, not HOME.
    yield from (folder, Path(pwd.getpwuid(os.getuid()).pw_dir, ".config", "openstack"), Path("/etc/openstack"))


def _places(folder: Path) -> str:
    return ", ".join(str(directory) for directory in _folders(folder))


def _clouds(file: Path | None, key: str) -> dict[str, Entry] | None:
    if file is None:
        return None
    try:
        document = yaml.load(file.read_bytes(), Loader=_AsText)  # noqa: S506  # a SafeLoader
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        msg = f"{file} cannot be read: {reason(error)}"
        raise ProviderError(msg) from None
    clouds = (document or {}).get(key) or {} if isinstance(document or {}, dict) else None
    if not isinstance(clouds, dict) or not all(isinstance(known, dict) for known in clouds.values()):
        msg = f"{file} has no `{key}:` with entries below it"
        raise ProviderError(msg)
    for name, known in clouds.items():
        _require_kinds(file, name, known)
    return {name: _typed(known) for name, known in clouds.items()}


def _require_kinds(file: Path, name: str, known: Entry) -> None:
    values = [(key, known.get(key), kind) for key, kind in KINDS.items()]
    if isinstance(known.get("auth"), dict):
        values += [(f"auth.{one.key}", known["auth"].get(one.key), str) for one in IDENTITY]
    regions = known.get("regions")
    for region in regions if isinstance(regions, list) else ():
        if isinstance(region, dict):
            values.append(("regions: values", region.get("values"), dict))
    for key, value, kind in values:
        if value is not None and not isinstance(value, kind):
            msg = f"{file}: '{name}': {key} must be {WORDS[kind]}"
            raise ProviderError(msg)


def _typed(known: Entry) -> Entry:
    # An empty value counts as absent.
    values = {key: value for key, value in known.items() if value is not None}
    return {key: value.lower() in TRUE if key == "verify" else value for key, value in values.items()}


def _merged(above: Mapping[str, Any], below: Mapping[str, Any]) -> Entry:
    """Merge both. Values of `above` override, unless they are empty."""
    merged = dict(below)
    for key, value in above.items():
        other = below.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            merged[key] = _merged(value, other)
        elif value or key not in below:
            merged[key] = value
    return merged
