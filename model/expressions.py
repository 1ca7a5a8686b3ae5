"""Regular expressions of a stack file, which nginx and OMERO.web compare with whatever a visitor asks for.

Both must read one alike, and answer at once. nginx gives up after ten million steps, which take it a second; OMERO.web,
which is Python, never does.
"""

import importlib
import re
from collections.abc import Iterator
from itertools import product
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
_LONG: Final = 100
"""A repeat of more is as one without an end."""
_COPIES: Final = 50
"""The most copies of a part that a sample has."""


def problems(expression: str, written: str) -> Iterator[str]:
    """What is wrong with an expression of Python's; `written` is how the stack file has it."""
    doubtful = tuple(dict.fromkeys(filter(_is_doubtful, _PARTS.findall(expression))))
    for part in doubtful:
        yield f"nginx may read '{part}' in another way: write {written} without it"
    if doubtful:
        return
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


def _tries_in_turn(tree: Any) -> bool:
    """Whether two long repeats may divide the same characters between them in many ways before a match fails."""
    shared = last = _NONE
    several, between = False, list[_Leaf]()
    for leaf in _leaves(tree, tree.state, ()):
        both = shared & leaf.characters
        parts = (one.characters for one in between if leaf.inside[: len(one.inside)] == one.inside)
        is_next = leaf.is_long and bool(both) and all(both & characters for characters in parts)
        if several and not is_next and not leaf.inside and (leaf.characters or last < _ANY):
            return True
        if leaf.is_long:
            shared, last, several, between = (both if is_next else leaf.characters), leaf.characters, is_next, []
        else:
            between.append(leaf)
    return False


class _Leaf(NamedTuple):
    """The characters of a part without parts; none at the end of an address. Whether it is a long repeat of them.

    `inside` are the groups that it is in and that may be left out, from the outside in.
    """

    characters: frozenset[str]
    is_long: bool
    inside: tuple[int, ...]


def _leaves(tree: Any, state: Any, inside: tuple[int, ...]) -> Iterator[_Leaf]:
    for kind, value in tree:
        name = str(kind)
        if name in _SETS:
            yield _Leaf(_set(kind, value, state), is_long=False, inside=inside)
        elif name in _REPEATS and value[1] > _LONG:
            inner = [leaf.characters for leaf in _leaves(value[2], state, inside)]
            yield _Leaf(_NONE.union(*inner), is_long=True, inside=inside)
        elif value is _PARSER.AT_END:
            yield _Leaf(_NONE, is_long=False, inside=inside)
        else:
            may_be_left_out = name == "BRANCH" or (name in _REPEATS and value[0] == 0)
            for body in _inside(name, value):
                yield from _leaves(body, state, (*inside, id(body)) if may_be_left_out else inside)


def _set(kind: Any, value: Any, state: Any) -> frozenset[str]:
    one = _COMPILER.compile(_PARSER.SubPattern(state, [(kind, value)]))
    return frozenset(filter(one.fullmatch, _CHARACTERS))


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
