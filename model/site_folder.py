"""Folders of the site's own beside the stack file, as settings name them."""

import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

APART: Final = ("bench", "dev", "docs", "harness", "tests")
"""Folders whose changes the review does not take for changes of a stack (idr/review/affected.py)."""

_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?")


class FolderError(Exception):
    """The setting names no folder that can be used; the text says what is wrong with it."""


def find(setting: Any, checkout: Path) -> tuple[Path, PurePosixPath]:
    """The folder that a setting names, and its path in the checkout. Raises FolderError where there is none."""
    if not isinstance(setting, str) or not _FOLDER.fullmatch(setting):
        msg = f"must be a folder of the checkout, as in site/ (given: {setting!r})"
        raise FolderError(msg)
    path = PurePosixPath(setting)
    if path.parts[0] in APART:
        msg = f"cannot be in {path.parts[0]}/: the review takes no change there for a change of a stack"
        raise FolderError(msg)
    if not (checkout / path).is_dir():
        msg = f"there is no folder '{setting}' beside the stack file"
        raise FolderError(msg)
    return checkout / path, path
