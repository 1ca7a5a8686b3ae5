"""The program's own tables, as files of YAML. Stack files and roles of a site are read by `model.yaml_text`."""

from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""That of libyaml takes a ninth of the time, for every command; PyYAML can be without it."""


def read(file: Path) -> Any:
    """The content of a table."""
    return yaml.load(file.read_text(), Loader=_LOADER)  # noqa: S506  # both are safe loaders
