"""A site's own folders and files beside the stack file, which settings name."""

import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

APART: Final = ("bench", "dev", "docs", "harness", "tests")
"""Folders whose changes are no changes of a stack for the review (idr/review/affected.py)."""

_FOLDER = re.compile(r"(?=.{1,255}$)[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?")


class FolderError(Exception):
    """The setting names no folder or file that can be used."""


class FileError(Exception):
    """Files cannot be used; the text names every mistake, a line each: file, problem."""


def find(setting: Any, checkout: Path) -> tuple[Path, PurePosixPath]:
    """Return the folder that a setting names, and its path in the checkout. Raises FolderError if there is none."""
    if not isinstance(setting, str) or not _FOLDER.fullmatch(setting):
        msg = f"must be a folder of the checkout, as in site/ (given: {setting!r})"
        raise FolderError(msg)
    path = _reviewed(setting)
    if not (checkout / path).is_dir():
        msg = f"there is no folder '{setting}' beside the stack file"
        raise FolderError(msg)
    refuse_links(checkout, path)
    return checkout / path, path


def find_file(setting: Any, checkout: Path, ending: str, advice: str) -> tuple[Path, PurePosixPath]:
    """Return the file that a setting names, and its path in the checkout. Raises FolderError if there is none."""
    path = file_path(setting, ending)
    if not (checkout / path).is_file():
        msg = f"there is no file '{setting}' beside the stack file; {advice}"
        raise FolderError(msg)
    refuse_links(checkout, path)
    return checkout / path, path


def file_path(setting: Any, ending: str) -> PurePosixPath:
    """Return the path of a file in a setting. Raises FolderError if it is no path of a file in the checkout."""
    if not isinstance(setting, str) or not _FOLDER.fullmatch(setting) or not setting.endswith(ending):
        msg = f"must be a file of the checkout, as in site/name{ending} (given: {setting!r})"
        raise FolderError(msg)
    return _reviewed(setting)


def refuse_links(checkout: Path, path: PurePosixPath) -> None:
    """Raise FolderError if the path, a folder above it or anything below it is a link.

    The review would not see a change of the link's target.
    """
    parents = [checkout / parent for parent in reversed(path.parents)][1:]
    for one in (*parents, checkout / path, *sorted((checkout / path).rglob("*"))):
        if one.is_symlink():
            name = one.relative_to(checkout)
            msg = f"{name} is a link, and the review sees no change of what it leads to; put a copy there"
            raise FolderError(msg)


def _reviewed(setting: str) -> PurePosixPath:
    """Return the path. Raises FolderError if it is in a folder whose changes the review ignores."""
    path = PurePosixPath(setting)
    if path.parts[0] in APART:
        msg = f"cannot be in {path.parts[0]}/: the review takes no change there for a change of a stack"
        raise FolderError(msg)
    return path
