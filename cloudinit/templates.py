"""Renders the templates of roles, and says of one that cannot be rendered which it is and why."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from cloudinit.quoting import FILTERS
from model.role_description import FOLDER


class RenderError(ValueError):
    """A configuration that cannot be rendered; the text names the file and says why."""


@dataclass(frozen=True)
class Folder:
    """A folder of roles; `path` is what messages call it.

    Its templates may include its own and the program's.
    """

    folder: Path
    path: str

    def render(self, file: Path, context: Mapping[str, Any], where: str) -> str:
        """Render a template of the folder or the program. Raises RenderError; `where` is the entry that needs it."""
        folder = self.folder if file.is_relative_to(self.folder) else FOLDER
        try:
            return environment(self.folder).get_template(file.relative_to(folder).as_posix()).render(context)
        except Exception as error:  # noqa: BLE001  # an expression of a site's own may raise anything
            msg = f"{self._place(error, where)}: {_reason(error)}"
        raise RenderError(msg)

    def _place(self, error: Exception, where: str) -> str:
        """Return the template and the line in which an error was raised.

        If templates include each other, it is the innermost. If that is one of the program, `where` comes first.
        """
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            file = Path(frame.filename)
            if file.suffix == ".py":
                continue
            if file.is_relative_to(self.folder):
                return f"{self.path}/{file.relative_to(self.folder)}: line {frame.lineno}"
            if file.is_relative_to(FOLDER):
                return f"{where}: {FOLDER.name}/{file.relative_to(FOLDER)}: line {frame.lineno}"
        return where


def expression(text: str, context: Mapping[str, Any], where: str) -> str:
    """Render a text with an expression. Raises RenderError; `where` is the entry that has it."""
    try:
        return _compiled(text).render(context)
    except Exception as error:  # noqa: BLE001  # as above
        msg = f"{where}: {_reason(error)}"
    raise RenderError(msg)


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


@cache
def environment(folder: Path) -> Environment:
    """Return the environment for the roles in a folder, whose templates may include the program's."""
    # Templates are plain text, never HTML, so nothing is escaped.
    templates = Environment(  # noqa: S701  # no HTML
        loader=FileSystemLoader([folder, FOLDER]),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(FILTERS)
    return templates


@cache
def _compiled(text: str) -> Template:
    return environment(FOLDER).from_string(text)
