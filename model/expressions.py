"""Check regular expressions of a stack file, which nginx and OMERO.web match against every request.

Both must read them alike, and match them fast. nginx gives up after ten million steps, which take it a second; Python's
`re`, which OMERO.web uses, never does.
"""

import importlib
import re
from collections.abc import Iterator
from itertools import combinations, pairwise, product
from typing import Any, Final, NamedTuple

# Python's own parser of expressions. `sre_parse`, its public name, is deprecated and warns of it.
_PARSER: Final = importlib.import_module("re._parser")
_COMPILER: Final = importlib.import_module("re._compiler")

_PARTS: Final = re.compile(r"\\.|\(\?<?.|\{,")
"""Parts of an expression that Python, nginx and PCRE may read differently."""
_SAME_FOR_ALL: Final = frozenset({"(?:", "(?=", "(?!", "(?<=", "(?<!", *(f"\\{letter}" for letter in "dDwWsSbB")})

_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_BODY: Final = {"SUBPATTERN": 3, "ASSERT": 1, "ASSERT_NOT": 1} | dict.fromkeys(_REPEATS, 2)
"""The position of the inner expression in the parser's result, by the part's kind."""
_SETS: Final = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
"""Kinds of parts that match one character."""
_FIXED: Final = (*_SETS, "SUBPATTERN", "AT", "ASSERT", "ASSERT_NOT")
"""Kinds of parts that match a text in one way only, if their inner parts do."""
_CHARACTERS: Final = tuple(map(chr, (*range(ord("a"), 127), *range(32, ord("a")))))
"""The characters of addresses; letters first."""
_NONE: Final[frozenset[str]] = frozenset()
_ANY: Final = frozenset(_CHARACTERS)
_SHORT: Final = 3
"""The most copies of a short repeat. Each at most doubles the number of ways; longer repeats are compared."""
_SHORT_ONES: Final = 10
"""The most short repeats and `|` in one expression."""
_COPIES: Final = 50
"""The most copies of a part in a sample."""


def problems(expression: str, written: str) -> Iterator[str]:
    """Yield the problems of a Python expression; `written` is its text in the stack file."""
    doubtful = tuple(dict.fromkeys(filter(_is_doubtful, _PARTS.findall(expression))))
    for part in doubtful:
        yield f"nginx may read '{part}' in another way: write {written} without it"
    if not doubtful:
        yield from slow(expression, written)


def slow(expression: str, written: str) -> Iterator[str]:
    """Yield why an address could keep nginx or OMERO.web busy. Raises re.error if Python cannot read the expression."""
    tree = _PARSER.parse(expression)
    if _nests(tree):
        yield (
            f"{written} repeats a group that has a repeat, '?' or '|' in it: some addresses would keep the site busy "
            "for seconds. Repeat a set instead, as in [a-z/]+"
        )
    elif _tries_in_turn(tree):
        yield (
            f"{written} has repeats in a row for the same characters, and more after them: some addresses would keep "
            "the site busy for seconds. Let none take what ends it, as in ([^/]*)/([^/]*)"
        )
    elif _short_ones(tree) > _SHORT_ONES:
        yield (
            f"{written} has more than {_SHORT_ONES} of '?', '|' and short repeats: some addresses would keep the site "
            "busy for seconds. Make several expressions of it"
        )


def _is_doubtful(part: str) -> bool:
    # nginx itself removes one of two backslashes.
    is_plain_character = part[0] == "\\" and not part[1].isalpha() and part != "\\\\"
    return part not in _SAME_FOR_ALL and not is_plain_character


def _inside(kind: str, value: Any) -> list[Any]:
    """Return the inner expressions of a part."""
    return value[1] if kind == "BRANCH" else [value[_BODY[kind]]] if kind in _BODY else []


def _parts(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield all parts of an expression, outer ones first, each with its kind and the parser's value."""
    for kind, value in tree:
        yield str(kind), value
        for body in _inside(str(kind), value):
            yield from _parts(body)


def _nests(tree: Any) -> bool:
    repeated = (value[2] for kind, value in _parts(tree) if kind in _REPEATS and value[1] > 1)
    return any(kind not in _FIXED for body in repeated for kind, _ in _parts(body))


def _short_ones(tree: Any) -> int:
    return sum(kind == "BRANCH" or (kind in _REPEATS and value[0] < value[1] <= _SHORT) for kind, value in _parts(tree))


class _Leaf(NamedTuple):
    """The characters of an innermost part, with its minimum and maximum of repeats; no characters for the end.

    `optional_groups` are the optional groups around it, outer ones first.
    """

    characters: frozenset[str]
    minimum: int
    maximum: int
    optional_groups: tuple[int, ...]

    def is_required_with(self, other: "_Leaf") -> bool:
        """Return whether every match with the other part has this part too."""
        return self.minimum > 0 and other.optional_groups[: len(self.optional_groups)] == self.optional_groups


def _tries_in_turn(tree: Any) -> bool:
    """Return whether two long repeats can divide the same characters in many ways before a match fails."""
    leaves = list(_leaves(tree, tree.state, ()))
    repeats = [position for position, leaf in enumerate(leaves) if leaf.maximum > max(_SHORT, leaf.minimum)]
    return any(
        _divide(leaves[first], leaves[first + 1 : second], leaves[second]) and _may_fail(leaves[second:])
        for first, second in combinations(repeats, 2)
    )


def _divide(first: _Leaf, between: list[_Leaf], second: _Leaf) -> bool:
    both = first.characters & second.characters
    required = (one for one in between if one.is_required_with(first) or one.is_required_with(second))
    return bool(both) and all(both & one.characters for one in required)


def _may_fail(leaves: list[_Leaf]) -> bool:
    """Return whether a part after the first one may fail. The end cannot fail after a repeat that took everything."""
    return any(
        after.minimum and (after.characters or before.characters < _ANY or before.maximum < _PARSER.MAXREPEAT)
        for before, after in pairwise(leaves)
    )


def _leaves(tree: Any, state: Any, optional_groups: tuple[int, ...]) -> Iterator[_Leaf]:
    for kind, value in tree:
        name = str(kind)
        if name in _SETS:
            yield _Leaf(_set(kind, value, state), 1, 1, optional_groups)
        elif name in _REPEATS and value[1] > max(_SHORT, value[0]):
            inner = [leaf.characters for leaf in _leaves(value[2], state, optional_groups)]
            yield _Leaf(_NONE.union(*inner), value[0], value[1], optional_groups)
        elif value is _PARSER.AT_END:
            yield _Leaf(_NONE, 1, 1, optional_groups)
        else:
            is_optional = name == "BRANCH" or (name in _REPEATS and value[0] == 0)
            for body in _inside(name, value):
                yield from _leaves(body, state, (*optional_groups, id(body)) if is_optional else optional_groups)


def _set(kind: Any, value: Any, state: Any) -> frozenset[str]:
    one = _COMPILER.compile(_PARSER.SubPattern(state, [(kind, value)]))
    return frozenset(filter(one.fullmatch, _CHARACTERS))


def looks_around(expression: str) -> bool:
    """Return whether it says what is not to come before or after, or what is: no sample can be made for that."""
    return any(kind in ("ASSERT", "ASSERT_NOT") for kind, _ in _parts(_PARSER.parse(expression)))


def samples(expression: str) -> tuple[str, ...]:
    """Return some texts that an expression matches; none if its look-aheads refuse all that were tried."""
    tree = _PARSER.parse(expression)
    texts = dict.fromkeys(_sample(tree, tree.state, *chosen) for chosen in product(range(3), repeat=2))
    return tuple(text for text in texts if re.search(expression, text))


def _sample(tree: Any, state: Any, copies: int, alternative: int) -> str:
    text = ""
    for kind, value in tree:
        bodies = _inside(str(kind), value)
        if str(kind) in _SETS:
            characters = _set(kind, value, state)
            text += next((one for one in _CHARACTERS if one in characters), "")
        elif bodies and not str(kind).startswith("ASSERT"):
            inner = _sample(bodies[alternative % len(bodies)], state, copies, alternative)
            minimum, maximum = value[:2] if str(kind) in _REPEATS else (1, 1)
            text += inner * min(max(minimum, copies), maximum, _COPIES)
    return text
