"""A parser for the few forms of HQL that OMERO.web and omero-py write. It does not know the whole language."""

import re
from dataclasses import dataclass
from typing import Any

_FROM = re.compile(r"^select (?P<select>.*?) from (?P<rest>.*)$", re.IGNORECASE)
_ROOT = re.compile(
    r"^(?P<entity>\w+)(?: (?:as )?(?!(?:left|inner|join|where|order|group)\b)(?P<alias>\w+))?", re.IGNORECASE
)
_JOIN = re.compile(
    r"(?P<outer>left outer |left )?(?:inner )?join (?:fetch )?(?P<path>[\w.]+)"
    r"(?: (?:as )?(?!(?:left|inner|join|where|order|group)\b)(?P<alias>\w+))?",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?P<path>[\w.]+|(?:index|lower)\([\w.]+\)) ?(?P<operator>=|!=|in\b|(?:not )?like\b) ?"
    r"\(?(?P<value>:\w+|\d+|'[^']*'|\w+Annotation\b)\)?",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"not exists ?<(?P<inner>[^>]*)>", re.IGNORECASE)
_NEW_MAP = re.compile(r"^new map ?\((?P<inner>.*)\)$", re.IGNORECASE)


@dataclass(frozen=True)
class Join:
    """One joined path. If `required` (an inner join), the result has no rows without it."""

    path: str
    alias: str
    required: bool


@dataclass(frozen=True)
class Condition:
    """A comparison of a path with values: equal to one of them, or like the only one. `negated` inverts it."""

    path: str
    values: tuple[Any, ...]
    negated: bool
    is_pattern: bool = False

    def holds_for(self, value: Any) -> bool:
        """Return whether a value meets the condition."""
        if self.is_pattern:
            return bool(re.fullmatch(_expression(str(self.values[0])), str(value), re.DOTALL)) != self.negated
        return (value in self.values) != self.negated


@dataclass(frozen=True)
class Query:
    """A parsed query."""

    columns: tuple[str, ...]
    """The selected expressions; those of a `new map` are in the order of `keys`."""
    keys: tuple[str, ...]
    """The names of the columns if the rows are maps, otherwise empty."""
    entity: str
    alias: str
    joins: tuple[Join, ...]
    conditions: tuple[Condition, ...]
    absent: tuple[str, ...]
    """Sub-queries of `not exists`, by which clients select orphans."""
    order: str
    grouped: bool


class UnknownQueryError(Exception):
    """The query has a form that this module does not know."""


def parse(text: str, parameters: dict[str, Any]) -> Query:
    """Parse a query and insert its parameters (plain values). Raise UnknownQueryError."""
    flat = _fold_subqueries(" ".join(text.split()))
    if implied := re.match(r"from \w+ (?:as )?(?P<alias>\w+)", flat, re.IGNORECASE):
        flat = f"select {implied['alias']} {flat}"
    match = _FROM.match(flat)
    root = _ROOT.match(match["rest"]) if match else None
    if not match or not root:
        raise UnknownQueryError(text)
    source, _, where = _split(match["rest"], "where")
    where, _, order = _split(where or source, "order by")
    where, grouping, _ = _split(where, "group by")
    absent = tuple(_ABSENT.findall(where))
    columns, keys = _columns(match["select"])
    return Query(
        columns=columns,
        keys=keys,
        entity="MapAnnotation" if root["entity"] == "Annotation" and ".mapValue" in source else root["entity"],
        alias=root["alias"] or "",
        joins=tuple(
            Join(join["path"], join["alias"] or "", not join["outer"]) for join in _JOIN.finditer(source, root.end())
        ),
        conditions=tuple(_conditions(where, parameters)) if where != source else (),
        absent=absent,
        order=order,
        grouped=bool(grouping),
    )


def inner_query(text: str) -> str:
    """Return the query in the brackets of `in (select ...)`, or an empty text."""
    match = re.search(r"\bin\s*(?=\(\s*select\b)", text, re.IGNORECASE)
    return text[match.end() + 1 : _closing_bracket(text, match.end())] if match else ""


def _closing_bracket(text: str, opening: int) -> int:
    """Return the position of the bracket that closes the one at `opening`."""
    depth = 0
    for position in range(opening, len(text)):
        depth += (text[position] == "(") - (text[position] == ")")
        if depth == 0:
            return position
    return len(text)


def split_list(text: str) -> list[str]:
    """Split at the commas outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "(<") - (character in ")>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _fold_subqueries(text: str) -> str:
    """Replace `(select ...)` by `<select_...>`, so that only the outer query has a `where`."""
    result, start = "", 0
    for match in re.finditer(r"\( ?select ", text, re.IGNORECASE):
        if match.start() < start:
            continue
        end = _closing_bracket(text, match.start())
        inner = re.sub(r"[^\w.]+", "_", text[match.start() + 1 : end]).strip("_")
        result += f"{text[start : match.start()]}<{inner}>"
        start = end + 1
    return result + text[start:]


def _split(text: str, word: str) -> tuple[str, str, str]:
    parts = re.split(rf" ?\b({word})\b ?", text, maxsplit=1, flags=re.IGNORECASE)
    return (parts[0], parts[1], parts[2]) if len(parts) > 1 else (text, "", "")


def _columns(select: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    select = re.sub(r"^distinct\b ?", "", select.strip(), flags=re.IGNORECASE)
    if not (new_map := _NEW_MAP.match(select)):
        return tuple(re.sub(r"^\(([\w.]+)\)$", r"\1", part) for part in split_list(re.sub(r" as \w+", "", select))), ()
    pairs = [re.split(r" as ", part, maxsplit=1, flags=re.IGNORECASE) for part in split_list(new_map["inner"])]
    if any(len(pair) < 2 for pair in pairs):
        raise UnknownQueryError(select)
    return tuple(pair[0].strip() for pair in pairs), tuple(pair[1].strip() for pair in pairs)


def _conditions(where: str, parameters: dict[str, Any]) -> list[Condition]:
    result = []
    for match in _CONDITION.finditer(_ABSENT.sub("", where)):
        value = _value(match["value"], parameters)
        values = tuple(value) if isinstance(value, list | tuple | set) else (value,)
        operator = match["operator"].lower()
        negated, is_pattern = operator in ("!=", "not like"), operator.endswith("like")
        result.append(Condition(match["path"], values, negated, is_pattern))
    return result


def _expression(pattern: str) -> str:
    """Return a pattern of `like` as a regular expression: `%` is any text, unless a backslash escapes it."""
    parts = re.findall(r"\\.|%|[^%\\]+", pattern, re.DOTALL)
    return "".join(".*" if part == "%" else re.escape(part.removeprefix("\\")) for part in parts)


def _value(text: str, parameters: dict[str, Any]) -> Any:
    if text.startswith(":"):
        return parameters.get(text[1:])
    if text.startswith("'"):
        return text[1:-1]
    return int(text) if text.isdigit() else text
