"""Rows of a list. OMERO's importer runs once for each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

OPTIONS = frozenset(
    {
        "annotation_link",
        "annotation_ns",
        "annotation_text",
        "checksum_algorithm",
        "continue",
        "depth",
        "description",
        "name",
        "parallel_fileset",
        "parallel_upload",
        "skip",
    }
)
"""Options of a row beside path and target. The importer has more, which would read or send other files."""
SKIPPED = ("all", "checksum", "minmax", "thumbnails", "upgrade")
_BY_NUMBER = re.compile(r"[A-Za-z]+:\d+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class RowError(Exception):
    """A row or the name of an import is invalid."""


@dataclass(frozen=True)
class Row:
    """A path to import, where its images go in OMERO, and options of the importer."""

    path: str
    target: str | None = None
    options: Mapping[str, str | list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read it from JSON. Raises RowError."""
        row = cls(str(data["path"]), data.get("target"), dict(data.get("options", {})))
        unknown = sorted(set(row.options) - OPTIONS)
        if unknown:
            raise RowError(f"{row.path}: not an option here: {', '.join(unknown)}")
        wrong = sorted(set(row.options.get("skip", ())) - set(SKIPPED))
        if wrong:
            raise RowError(f"{row.path}: skip knows {', '.join(SKIPPED)}, and not {', '.join(wrong)}")
        return row

    def data(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"path": self.path, "target": self.target, "options": dict(self.options)}

    def new_objects(self) -> tuple[str, ...]:
        """Objects that the importer creates for this target if missing. Two importers at once would create two."""
        if not self.target or _BY_NUMBER.fullmatch(self.target):
            return ()
        parent, separator, _ = self.target.partition("/Dataset:")
        return (parent, self.target) if separator else (self.target,)


def valid_name(name: str) -> str:
    """Check the name of an import, which is also a folder's name. Raises RowError."""
    if not _NAME.fullmatch(name):
        raise RowError(f"{name!r} is no name of an import: letters, digits, '.', '_' and '-'")
    return name
