"""Read the program's own tables, YAML files. `model.yaml_text` reads stack files and roles of a site."""

from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader of libyaml, if PyYAML has it: it takes a ninth of the time, in every command."""


def read(file: Path) -> Any:
    """Return the content of a table."""
    return yaml.load(file.read_text(), Loader=_LOADER)  # noqa: S506  # both are safe loaders
