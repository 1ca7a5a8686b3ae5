"""Takes apart the few forms of HQL that OMERO.web and omero-py write; it is no parser of the language."""

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
    """One joined path; `required`: rows without it do not count."""

    path: str
    alias: str
    required: bool


@dataclass(frozen=True)
class Condition:
    """A comparison of a path with values: equal to one of them, or like the one; negated: to none."""

    path: str
    values: tuple[Any, ...]
    negated: bool
    is_pattern: bool = False

    def holds_for(self, value: Any) -> bool:
        """Whether a value meets it."""
        if self.is_pattern:
            return bool(re.fullmatch(_expression(str(self.values[0])), str(value), re.DOTALL)) != self.negated
        return (value in self.values) != self.negated


@dataclass(frozen=True)
class Query:
    """What a query asks for."""

    columns: tuple[str, ...]
    """The expressions asked for; of a `new map`, in `keys`' order."""
    keys: tuple[str, ...]
    """Names of the columns when the rows are to be maps, otherwise empty."""
    entity: str
    alias: str
    joins: tuple[Join, ...]
    conditions: tuple[Condition, ...]
    absent: tuple[str, ...]
    """What must not exist: sub-queries, which tell orphans."""
    order: str
    grouped: bool


class UnknownQueryError(Exception):
    """The query has a form that this module does not know."""


def take_apart(text: str, parameters: dict[str, Any]) -> Query:
    """The query, with its parameters (plain values) put in. Raises UnknownQueryError."""
    flat = _fold_subqueries(" ".join(text.split()))
    if implied := re.match(r"from \w+ (?:as )?(?P<alias>\w+)", flat, re.IGNORECASE):
        flat = f"select {implied['alias']} {flat}"
    found = _FROM.match(flat)
    root = _ROOT.match(found["rest"]) if found else None
    if not found or not root:
        raise UnknownQueryError(text)
    source, _, where = _split(found["rest"], "where")
    where, _, order = _split(where or source, "order by")
    where, grouping, _ = _split(where, "group by")
    absent = tuple(_ABSENT.findall(where))
    columns, keys = _columns(found["select"])
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
    """The query in the brackets of `in (select ...)`; nothing where there is none."""
    found = re.search(r"\bin\s*(?=\(\s*select\b)", text, re.IGNORECASE)
    return text[found.end() + 1 : _closing(text, found.end())] if found else ""


def _closing(text: str, opening: int) -> int:
    """Where the bracket closes that opens there."""
    depth = 0
    for position in range(opening, len(text)):
        depth += (text[position] == "(") - (text[position] == ")")
        if depth == 0:
            return position
    return len(text)


def split_list(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "(<") - (character in ")>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _fold_subqueries(text: str) -> str:
    """`(select ...)` becomes `<select ...>` with its words hidden, so that only the outer query has a where."""
    result, start = "", 0
    for found in re.finditer(r"\( ?select ", text, re.IGNORECASE):
        if found.start() < start:
            continue
        end = _closing(text, found.start())
        inner = re.sub(r"[^\w.]+", "_", text[found.start() + 1 : end]).strip("_")
        result += f"{text[start : found.start()]}<{inner}>"
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
    for found in _CONDITION.finditer(_ABSENT.sub("", where)):
        value = _value(found["value"], parameters)
        values = tuple(value) if isinstance(value, list | tuple | set) else (value,)
        operator = found["operator"].lower()
        negated, is_pattern = operator in ("!=", "not like"), operator.endswith("like")
        result.append(Condition(found["path"], values, negated, is_pattern))
    return result


def _expression(pattern: str) -> str:
    """A pattern of `like` as a regular expression: `%` is any text, and a backslash takes that away."""
    parts = re.findall(r"\\.|%|[^%\\]+", pattern, re.DOTALL)
    return "".join(".*" if part == "%" else re.escape(part.removeprefix("\\")) for part in parts)


def _value(text: str, parameters: dict[str, Any]) -> Any:
    if text.startswith(":"):
        return parameters.get(text[1:])
    if text.startswith("'"):
        return text[1:-1]
    return int(text) if text.isdigit() else text
