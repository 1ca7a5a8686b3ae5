"""Regular expressions of a stack file, which nginx and OMERO.web compare with whatever a visitor asks for.

Both must read one alike, and answer at once. nginx gives up after ten million steps, which take it a second; OMERO.web,
which is Python, never does.
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
"""The parts of an expression that Python, nginx or PCRE may read each in its own way."""
_SAME_FOR_ALL: Final = frozenset({"(?:", "(?=", "(?!", "(?<=", "(?<!", *(f"\\{letter}" for letter in "dDwWsSbB")})

_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_BODY: Final = {"SUBPATTERN": 3, "ASSERT": 1, "ASSERT_NOT": 1} | dict.fromkeys(_REPEATS, 2)
"""Where the parser has what is inside a part, by the part's kind."""
_SETS: Final = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
"""The kinds of parts that stand for one character."""
_ONE_WAY: Final = (*_SETS, "SUBPATTERN", "AT", "ASSERT", "ASSERT_NOT")
"""The kinds of parts that match a text in one way, as far as what is inside them does."""
_CHARACTERS: Final = tuple(map(chr, (*range(ord("a"), 127), *range(32, ord("a")))))
"""What an address is made of; letters first."""
_NONE: Final[frozenset[str]] = frozenset()
_ANY: Final = frozenset(_CHARACTERS)
_SHORT: Final = 3
"""The most copies that a short repeat may have: each doubles the ways, or nearly so, and the long ones are compared."""
_SHORT_ONES: Final = 10
"""How many short repeats and `|` one expression may have."""
_COPIES: Final = 50
"""The most copies of a part that a sample has."""


def problems(expression: str, written: str) -> Iterator[str]:
    """What is wrong with an expression of Python's; `written` is how the stack file has it."""
    doubtful = tuple(dict.fromkeys(filter(_is_doubtful, _PARTS.findall(expression))))
    for part in doubtful:
        yield f"nginx may read '{part}' in another way: write {written} without it"
    if not doubtful:
        yield from slow(expression, written)


def slow(expression: str, written: str) -> Iterator[str]:
    """Why an address could keep nginx or OMERO.web busy. Raises re.error where Python cannot read the expression."""
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
    # nginx itself takes one of two backslashes.
    is_plain_character = part[0] == "\\" and not part[1].isalpha() and part != "\\\\"
    return part not in _SAME_FOR_ALL and not is_plain_character


def _inside(kind: str, value: Any) -> list[Any]:
    """The expressions that a part is made of."""
    return value[1] if kind == "BRANCH" else [value[_BODY[kind]]] if kind in _BODY else []


def _parts(tree: Any) -> Iterator[tuple[str, Any]]:
    """All parts of an expression, from the outside in, each as its kind and what the parser says of it."""
    for kind, value in tree:
        yield str(kind), value
        for body in _inside(str(kind), value):
            yield from _parts(body)


def _nests(tree: Any) -> bool:
    repeated = (value[2] for kind, value in _parts(tree) if kind in _REPEATS and value[1] > 1)
    return any(kind not in _ONE_WAY for body in repeated for kind, _ in _parts(body))


def _short_ones(tree: Any) -> int:
    return sum(kind == "BRANCH" or (kind in _REPEATS and value[0] < value[1] <= _SHORT) for kind, value in _parts(tree))


class _Leaf(NamedTuple):
    """The characters of a part without parts, and how many there are at least and at most; none at an address's end.

    `inside` are the groups that it is in and that may be left out, from the outside in.
    """

    characters: frozenset[str]
    least: int
    most: int
    inside: tuple[int, ...]

    def is_there_with(self, other: "_Leaf") -> bool:
        """Whether all that has the other part has this one as well."""
        return self.least > 0 and other.inside[: len(self.inside)] == self.inside


def _tries_in_turn(tree: Any) -> bool:
    """Whether two long repeats may divide the same characters between them in many ways before a match fails."""
    leaves = list(_leaves(tree, tree.state, ()))
    repeats = [place for place, leaf in enumerate(leaves) if leaf.most > max(_SHORT, leaf.least)]
    return any(
        _divide(leaves[first], leaves[first + 1 : second], leaves[second]) and _may_fail(leaves[second:])
        for first, second in combinations(repeats, 2)
    )


def _divide(first: _Leaf, between: list[_Leaf], second: _Leaf) -> bool:
    both = first.characters & second.characters
    there = (one for one in between if one.is_there_with(first) or one.is_there_with(second))
    return bool(both) and all(both & one.characters for one in there)


def _may_fail(leaves: list[_Leaf]) -> bool:
    """Whether something after the first of these may not match. The end does where a repeat took all before it."""
    return any(
        after.least and (after.characters or before.characters < _ANY or before.most < _PARSER.MAXREPEAT)
        for before, after in pairwise(leaves)
    )


def _leaves(tree: Any, state: Any, inside: tuple[int, ...]) -> Iterator[_Leaf]:
    for kind, value in tree:
        name = str(kind)
        if name in _SETS:
            yield _Leaf(_set(kind, value, state), 1, 1, inside)
        elif name in _REPEATS and value[1] > max(_SHORT, value[0]):
            inner = [leaf.characters for leaf in _leaves(value[2], state, inside)]
            yield _Leaf(_NONE.union(*inner), value[0], value[1], inside)
        elif value is _PARSER.AT_END:
            yield _Leaf(_NONE, 1, 1, inside)
        else:
            may_be_left_out = name == "BRANCH" or (name in _REPEATS and value[0] == 0)
            for body in _inside(name, value):
                yield from _leaves(body, state, (*inside, id(body)) if may_be_left_out else inside)


def _set(kind: Any, value: Any, state: Any) -> frozenset[str]:
    one = _COMPILER.compile(_PARSER.SubPattern(state, [(kind, value)]))
    return frozenset(filter(one.fullmatch, _CHARACTERS))


def looks_around(expression: str) -> bool:
    """Whether it says what is not to come before or after, or what is: no sample can be made for that."""
    return any(kind in ("ASSERT", "ASSERT_NOT") for kind, _ in _parts(_PARSER.parse(expression)))


def samples(expression: str) -> tuple[str, ...]:
    """Some texts that an expression matches: none of it where its look-aheads let none of the tried ones through."""
    tree = _PARSER.parse(expression)
    texts = dict.fromkeys(_sample(tree, tree.state, *chosen) for chosen in product(range(3), repeat=2))
    return tuple(text for text in texts if re.search(expression, text))


def _sample(tree: Any, state: Any, copies: int, alternative: int) -> str:
    text = ""
    for kind, value in tree:
        bodies = _inside(str(kind), value)
        if str(kind) in _SETS:
            there = _set(kind, value, state)
            text += next((one for one in _CHARACTERS if one in there), "")
        elif bodies and not str(kind).startswith("ASSERT"):
            inner = _sample(bodies[alternative % len(bodies)], state, copies, alternative)
            least, most = value[:2] if str(kind) in _REPEATS else (1, 1)
            text += inner * min(max(least, copies), most, _COPIES)
    return text
