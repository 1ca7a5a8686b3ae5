"""Read the files that settings name, beside the stack file, before the settings are checked."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from model import addons, nginx_snippets, public_site
from model.overrides import Keys
from model.site_folder import FileError, FolderError

FILES: Final[Mapping[tuple[str, str], Callable[[Any, Path], Any]]] = {
    (public_site.SETTING, public_site.LOCATIONS): nginx_snippets.read,
    **{(base.section, base.key): partial(addons.read, base) for base in addons.BASES},
}
"""By section and key, the function that reads the files."""


def read(values: Mapping[str, Any], folder: Path, file_of: Callable[[Keys], str]) -> dict[str, Any]:
    """Return the sections that name files in `folder`, with the files' contents instead of their names.

    `file_of` returns the file that sets a value. Raises FileError for files that cannot be used.
    """
    sections: dict[str, Any] = {}
    for (section, key), reader in FILES.items():
        inner = values.get(section)
        if not isinstance(inner, dict) or inner.get(key) is None:
            continue
        try:
            sections[section] = {**inner, key: reader(inner[key], folder)}
        except FolderError as error:
            msg = f"{file_of((section, key))}: idr:{section}.{key}: {error}"
            raise FileError(msg) from None
    return sections
