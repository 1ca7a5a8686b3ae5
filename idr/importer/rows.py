"""Rows of a list: each is what one run of OMERO's importer gets."""

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
"""What a row can say beside path and target. The importer has more, which would read or send other files."""
SKIPPED = ("all", "checksum", "minmax", "thumbnails", "upgrade")
_BY_NUMBER = re.compile(r"[A-Za-z]+:\d+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class RowError(Exception):
    """A row, or the name of an import, that cannot be; the text says why."""


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
        """Objects that the importer makes for this target where they are missing; two at once would make two."""
        if not self.target or _BY_NUMBER.fullmatch(self.target):
            return ()
        parent, separator, _ = self.target.partition("/Dataset:")
        return (parent, self.target) if separator else (self.target,)


def valid_name(name: str) -> str:
    """The name of an import, which is a folder's. Raises RowError."""
    if not _NAME.fullmatch(name):
        raise RowError(f"{name!r} is no name of an import: letters, digits, '.', '_' and '-'")
    return name
