"""Read YAML like Pulumi's engine, so that all parts of the program read a file alike.

The engine uses gopkg.in/yaml.v3. PyYAML's own loaders follow YAML 1.1 and differ: they read `no` as false, `12:48` as
768, and accept two equal keys. Here PyYAML parses; values follow yaml.v3 (resolve.go, decode.go).
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import yaml

from model.yaml_scanner import EngineScanner

DEEPEST = 100
"""The most levels of mappings and lists; settings need far fewer."""

MOST_VALUES = 100_000
"""The most values of a file with its aliases resolved; yaml.v3 refuses "excessive aliasing" too."""

_PLAIN = "plain"
_QUOTED = "quoted"
_TAG = "tag:yaml.org,2002:"
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **{sign + text: float(sign + "inf") for sign in ("", "+", "-") for text in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DATE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?P<t>[Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(?P<zone>Z|[-+]\d{2}:\d{2})?)?"
)
_MERGING = (_PLAIN, _QUOTED, f"{_TAG}merge")
"""The tags of a key `<<` that merges other mappings."""
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
    "timestamp": (datetime,),
}


class YamlError(ValueError):
    """The text cannot be read; the message has line and reason."""


def load(data: bytes) -> Any:
    """Load the first document of a YAML file: dict, list, str, int, float, bool or None. Keys of mappings are text.

    Raises YamlError.
    """
    try:
        node = _Loader(data).get_single_document()
        return None if node is None else _Reading().value(node, ())
    except yaml.reader.ReaderError as error:
        raise YamlError(_unreadable(error, data)) from None
    except yaml.MarkedYAMLError as error:
        raise YamlError(_explained(error)) from None
    except RecursionError:
        raise YamlError(f"is nested more than {DEEPEST} levels deep") from None


class _Loader(EngineScanner, yaml.BaseLoader):
    """Parses; `_resolved` interprets unquoted values."""

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> Any:
        """Return the tag of a node without explicit tag."""
        if kind is yaml.ScalarNode and any(implicit):
            return _PLAIN if implicit[0] else _QUOTED
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # PyYAML has no types

    def get_single_document(self) -> yaml.Node | None:
        """Return the first document; like the engine, ignore the others."""
        return self.get_node() if self.check_node() else None


class _Reading:
    """Converts a document's nodes; counts values, so that aliases cannot multiply them without limit."""

    def __init__(self) -> None:
        """Start with no values."""
        self._count = 0

    def value(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Any:
        """Return a node's value; `above` are the nodes around it."""
        self._count += 1
        if self._count > MOST_VALUES:
            raise _error(node, f"aliases make more than {MOST_VALUES} values")
        if node in above:
            raise _error(node, "an anchor refers to itself")
        if len(above) > DEEPEST:
            raise _error(node, f"is nested more than {DEEPEST} levels deep")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, (*above, node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(inner, (*above, node)) for inner in node.value]
        if isinstance(node, yaml.ScalarNode):
            return _for_json(node, _scalar(node))
        raise _error(node, "is of no kind that YAML has")

    def _mapping(self, node: yaml.MappingNode, above: tuple[yaml.Node, ...]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in lines:
                raise _error(key_node, f"the key '{key}' is in line {lines[key]} already")
            lines[key] = key_node.start_mark.line + 1
            if key == "<<" and key_node.tag in _MERGING:
                for inherited in self._merged(value_node, above):
                    merged = {**inherited, **merged}
            else:
                own[key] = self.value(value_node, above)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Iterator[dict[str, Any]]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            value = self.value(part, above)
            if not isinstance(value, dict):
                raise _error(node, "<< takes a mapping, or a list of mappings")
            yield value

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _error(node, "a key must be text")
        key = _for_json(node, _scalar(node))
        # As Go prints it (object.go: fmt.Sprintf("%v", key)).
        return "<nil>" if key is None else as_text(key)


def is_text(text: str) -> bool:
    """Return whether `text` without quotes, as PyYAML writes it, is read as this text."""
    return bool(_resolved(text) == text)


def as_text(value: bool | float | str | None) -> str:
    """Format a single value as the engine passes it: like Go's JSON; text unchanged; null as empty."""
    if isinstance(value, str) or value is None:
        return value or ""
    if not isinstance(value, float):
        return json.dumps(value)
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f")
    return re.sub(r"e([-+])0+", r"e\1", repr(value))


def _scalar(node: yaml.ScalarNode) -> Any:
    tag, text = node.tag, str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _error(node, "holds half a character (a surrogate)")
    if tag == _PLAIN:
        return _resolved(text)
    kind = tag.removeprefix(_TAG)
    if kind == "binary":
        return _decoded(node, text)
    if kind not in _TYPES:
        return text
    value = _resolved(text)
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise _error(node, f"'{text}' is not a value of the kind !!{kind}")
    return float(value) if isinstance(value, int) and kind == "float" else value


def _decoded(node: yaml.Node, text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _error(node, "!!binary: is not text in base64") from None


def _resolved(text: str) -> Any:
    """Interpret an unquoted value (yaml.v3, resolve.go)."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    date = _date(text)
    if date is not None:
        return date
    return _number(text.replace("_", ""), text)


def _number(digits: str, text: str) -> Any:
    if _INTEGER.fullmatch(digits) and text[0] != ".":
        number = _integer(digits)
        if -(1 << 63) <= number < 1 << 64:
            return number
    if _FLOAT.fullmatch(digits if text[0] != "." else text):
        return text if math.isinf(float(digits)) else float(digits)
    return text


def _integer(digits: str) -> int:
    if len(digits) > 70:  # beyond any 64 bits; Python refuses to convert thousands of digits
        return 1 << 64
    octal = re.fullmatch(r"([-+]?)0([0-7]+)", digits)
    return int(f"{octal[1]}0o{octal[2]}" if octal else digits, 0)


def _date(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if not match or (match["t"] is not None and (match["t"] == " ") != (match["zone"] is None)):
        return None
    numbers = [int(part) for part in match.groups()[:3] + match.groups()[4:7] if part is not None]
    try:
        return datetime(*numbers, tzinfo=_zone(match["zone"]))  # type: ignore[arg-type,misc]  # three to seven numbers
    except ValueError:
        return None


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


def _for_json(node: yaml.Node, value: Any) -> Any:
    """Return the value in the form after the engine's conversion to JSON."""
    if isinstance(value, datetime):
        # time.Time.String(); `model.reading` refuses it, here and in the program.
        zone = value.strftime("%z")
        return f"{value.replace(tzinfo=None)} {zone} {zone if value.utcoffset() else 'UTC'}"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _error(node, f"{node.value} is not a number to calculate with")
        # Go writes the significant digits of a large number, then zeros.
        return int(Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value
    return value


def _error(node: yaml.Node, what: str) -> YamlError:
    return YamlError(f"line {node.start_mark.line + 1}: {what}")


def _explained(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}: " if mark else ""
    if "'\\t'" in (error.problem or ""):
        return f"{where}a tab cannot stand here; indent with spaces"
    begun = error.context_mark
    since = (
        f" ({error.context}, begun in line {begun.line + 1})" if begun and begun.line != (mark and mark.line) else ""
    )
    return f"{where}{error.problem or error.context}{since}"


def _unreadable(error: yaml.reader.ReaderError, data: bytes) -> str:
    if error.encoding == "unicode":
        return f"holds the character U+{error.character:04X}, which YAML does not allow"
    line = data[: error.position].count(b"\n") + 1
    return f"line {line}: is not text in UTF-8; save the file as UTF-8"
