"""The files beside a list: rendering settings, annotations, and which columns become key-value pairs in OMERO.

Settings come as JSON, so that the node reads no YAML.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from .rows import RowError

RENDERING, ANNOTATION, KEYS = "renderdef", "annotation", "bulkmap-config"
FILES = {RENDERING: "renderdef.json", ANNOTATION: "annotation.csv.gz", KEYS: "bulkmap-config.json"}
"""Their names on the node. OMERO's commands recognise the format by the ending."""
GZIP = b"\x1f\x8b"
_VALUE = re.compile(r"(?<!\{)\{\{ *value *\}\}")
_COLOR = re.compile(r"([0-9A-Fa-f]{3,4}){1,2}|.+\.lut")
RANGES = ("min", "max", "start", "end")
_CODE = re.compile(r"\{[{%#]")


@dataclass(frozen=True)
class Beside:
    """The files beside a list, by kind, as the node keeps them."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read them from JSON. Raises RowError for files that OMERO would refuse, or that would run code."""
        if unknown := sorted(set(data) - set(FILES)):
            raise RowError(f"beside a list there can be {', '.join(FILES)}, and not {', '.join(unknown)}")
        if KEYS in data and ANNOTATION not in data:
            raise RowError(f"there is a {KEYS} and no {ANNOTATION}, whose columns it names")
        files: dict[str, bytes] = {}
        for kind, content in data.items():
            if kind == ANNOTATION:
                files[kind] = _decoded(content)
                continue
            _CHECKS[kind](content)
            files[kind] = json.dumps(content, indent=1, sort_keys=True).encode()
        return cls(files)

    def digests(self) -> dict[str, str]:
        """The version of each file, as a digest of its content."""
        return {kind: sha256(content).hexdigest()[:16] for kind, content in self.files.items()}


def shared(keys: Mapping[str, Any]) -> list[str]:
    """The namespaces of annotations that studies share, such as one annotation of a gene for many images."""
    groups = (column.get("group") for column in keys.get("columns") or ())
    return sorted({group["namespace"] for group in groups if group})


def _decoded(content: Any) -> bytes:
    try:
        table = base64.b64decode(str(content), validate=True)
    except binascii.Error:
        table = b""
    if not table.startswith(GZIP):
        raise RowError(f"{ANNOTATION}: is not compressed")
    return table


def _check_rendering(content: Any) -> None:
    channels = content.get("channels") if isinstance(content, dict) else None
    if not isinstance(channels, dict) or not channels:
        raise RowError(f"{RENDERING}: has no 'channels', numbers from 1 with the settings of each")
    wrong = [number for number, about in channels.items() if not (_is_number(number) and isinstance(about, dict))]
    if wrong:
        raise RowError(f"{RENDERING}: channels are numbers from 1 with settings, and not {', '.join(map(str, wrong))}")
    for fault in _rendering_faults(content):
        raise RowError(f"{RENDERING}: {fault}")


def _rendering_faults(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield settings that OMERO would ignore silently, or that would make it fail at each image."""
    yield from (f"{key} is a whole number from 1" for key in ("z", "t") if not _is_number(content.get(key, 1)))
    if content.get("version", 1) not in (1, 2):
        yield "version is 1 or 2"
    for number, about in content["channels"].items():
        color = about.get("color")
        if color is not None and not (isinstance(color, str) and _COLOR.fullmatch(color)):
            yield (
                f"channel {number}: color {color!r} is neither hexadecimal digits in quotation marks, as in '00FF00', "
                "nor the name of a lookup table (.lut)"
            )
        yield from (f"channel {number}: {key} is no number" for key in RANGES if not _is_finite(about.get(key, 0)))
        if "version" not in content and {*about} & {"start", "end"} and {*about} & {"min", "max"}:
            yield f"channel {number}: give 'version': 2 where min and max are those of the data beside start and end"


def _is_finite(value: object) -> bool:
    try:
        return math.isfinite(float(str(value)))
    except ValueError:
        return False


def _is_number(text: object) -> bool:
    return str(text).isascii() and str(text).isdigit() and int(str(text)) > 0


def _check_keys(content: Any) -> None:
    columns = content.get("columns") if isinstance(content, dict) else None
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise RowError(f"{KEYS}: has no 'columns', a list of columns of the annotation")
    if any("namespace" not in column["group"] for column in columns if isinstance(column.get("group"), dict)):
        raise RowError(f"{KEYS}: a group of columns has no 'namespace'")
    for text in _texts(content):
        # OMERO renders this text as a Jinja template. Other expressions could run any code on the node.
        if _CODE.search(_VALUE.sub("", text)):
            raise RowError(f"{KEYS}: the only thing between braces can be {{{{ value }}}}: {text}")


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


_CHECKS = {RENDERING: _check_rendering, KEYS: _check_keys}
