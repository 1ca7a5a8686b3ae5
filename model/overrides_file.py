"""Read the file of overrides that a stack file names, and merge it into the stack file's settings."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from model import plain_secrets, site_folder, yaml_text
from model.overrides import merge, nothing_to_take, origins
from model.reading import SettingsError, Source

OVERRIDES = "overrides"

_OVERRIDES_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\.ya?ml")


def with_overrides(values: Mapping[str, Any], source: Source, folder: Path) -> tuple[dict[str, Any], Source]:
    """Merge the file that `overrides` names into the values, and return the origins. Both files are in `folder`.

    Raises SettingsError if that file does not exist, is no YAML mapping, or has settings only for stack files.
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
    if problem := wrong_overrides(name, folder):
        msg = f"{named_by}: idr:{OVERRIDES}: {problem}"
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
    """Say why a file in `folder`, the checkout, cannot be a file of overrides."""
    try:
        problem = _problem_of_path(name)
        if not problem:
            site_folder.refuse_links(folder, PurePosixPath(name))
    except (site_folder.FolderError, ValueError) as error:  # ValueError: a NUL in the name
        return str(error)
    return problem


def _problem_of_path(name: str) -> str | None:
    """Say why that path cannot be used: the review must see changes of the file (idr/review/affected.py)."""
    if not _OVERRIDES_FILE.fullmatch(name):
        return f"must be a YAML file of the checkout, as in site.yaml (given: {name!r})"
    if (first := name.split("/")[0]) in site_folder.APART:
        return f"cannot be in {first}/: the review takes no change there for a change of a stack"
    if first.startswith("Pulumi."):
        return "cannot be the file of a stack or of the project"
    return None
