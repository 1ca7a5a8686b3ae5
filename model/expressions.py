"""Regular expressions of a stack file, which nginx and OMERO.web compare with whatever a visitor asks for.

Both must read one alike, and answer at once. nginx gives up after ten million steps, which take it a second; OMERO.web,
which is Python, never does.
"""

import importlib
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

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
_IN_A_ROW: Final = 2
"""How many repeats in a row may take the same characters: each one more multiplies the steps by an address's length."""
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
    elif _most_in_a_row(tree) > _IN_A_ROW:
        yield (
            f"{written} has more than {_IN_A_ROW} repeats in a row for the same characters: some addresses would "
            "keep the site busy for seconds. Write [^/]* instead of .*"
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


def _most_in_a_row(tree: Any) -> int:
    """How many repeats may take the same characters one after the other."""
    most = in_a_row = 0
    common: frozenset[str] = frozenset()
    for characters, is_long, is_always_there in _leaves(tree, tree.state, is_always_there=True):
        if is_long:
            in_a_row, common = (in_a_row + 1, common & characters) if common & characters else (1, characters)
            most = max(most, in_a_row)
        elif is_always_there and not common & characters:
            in_a_row, common = 0, frozenset()
    return most


def _leaves(tree: Any, state: Any, *, is_always_there: bool) -> Iterator[tuple[frozenset[str], bool, bool]]:
    """The characters of each part, in order; whether it is a long repeat; whether all that matches has it."""
    for kind, value in tree:
        name = str(kind)
        if name in _SETS:
            yield _set(kind, value, state), False, is_always_there
        elif name in _REPEATS and value[1] > _LONG:
            inner = [characters for characters, _, _ in _leaves(value[2], state, is_always_there=True)]
            yield frozenset().union(*inner), True, is_always_there
        else:
            there = is_always_there and name != "BRANCH" and not (name in _REPEATS and value[0] == 0)
            for body in _inside(name, value):
                yield from _leaves(body, state, is_always_there=there)


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
