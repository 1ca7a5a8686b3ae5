"""Folders and files of the site's own beside the stack file, as settings name them."""

import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

APART: Final = ("bench", "dev", "docs", "harness", "tests")
"""Folders whose changes the review does not take for changes of a stack (idr/review/affected.py)."""

_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?")


class FolderError(Exception):
    """The setting names no folder or file that can be used; the text says what is wrong with it."""


class FileError(Exception):
    """Files that cannot be used; the text names each mistake, a line each: file, what is wrong."""


def find(setting: Any, checkout: Path) -> tuple[Path, PurePosixPath]:
    """The folder that a setting names, and its path in the checkout. Raises FolderError where there is none."""
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
    """The file that a setting names, and its path in the checkout. Raises FolderError where there is none."""
    path = file_path(setting, ending)
    if not (checkout / path).is_file():
        msg = f"there is no file '{setting}' beside the stack file; {advice}"
        raise FolderError(msg)
    refuse_links(checkout, path)
    return checkout / path, path


def file_path(setting: Any, ending: str) -> PurePosixPath:
    """The path that a setting gives a file. Raises FolderError where it is none of a file in the checkout."""
    if not isinstance(setting, str) or not _FOLDER.fullmatch(setting) or not setting.endswith(ending):
        msg = f"must be a file of the checkout, as in site/name{ending} (given: {setting!r})"
        raise FolderError(msg)
    return _reviewed(setting)


def refuse_links(checkout: Path, path: PurePosixPath) -> None:
    """Raise FolderError where something on the way to the path, or below it, is a link.

    A change of what it leads to would be no change of the stack for the review.
    """
    parents = [checkout / parent for parent in reversed(path.parents)][1:]
    for one in (*parents, checkout / path, *sorted((checkout / path).rglob("*"))):
        if one.is_symlink():
            name = one.relative_to(checkout)
            msg = f"{name} is a link, and the review sees no change of what it leads to; put a copy there"
            raise FolderError(msg)


def _reviewed(setting: str) -> PurePosixPath:
    """The path, in a folder where the review sees a change. Raises FolderError where it is in another."""
    path = PurePosixPath(setting)
    if path.parts[0] in APART:
        msg = f"cannot be in {path.parts[0]}/: the review takes no change there for a change of a stack"
        raise FolderError(msg)
    return path
