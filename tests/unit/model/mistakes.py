"""The messages that name the mistakes of a stack file."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness import stacks
from model.reading import SettingsError, Source, parse

Values = dict[str, Any]
Bad = Mapping[str, tuple[Callable[[Values], object], list[str]]]
"""By description: a change of the local stack file, and its messages."""

SOURCE = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret"}))
CERTIFIED = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"certificate"}))
HOST = "idr.example.org"
GOOD_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIDSUk6ZgYr/l69z12n1tAyq0fkA8siBmQLE9bKlf6pCH"


def mistakes(change: Callable[[Values], object], source: Source = SOURCE) -> list[str]:
    """Return the messages that the local stack file leads to after a change."""
    values = stacks.values("local")
    change(values)
    with pytest.raises(SettingsError) as caught:
        parse(values, source)
    return str(caught.value).splitlines()


def only(change: Callable[[Values], object], source: Source = CERTIFIED) -> str:
    """Return the message for the one mistake."""
    (line,) = mistakes(change, source)
    return line.removeprefix("Pulumi.local.yaml: ")


def given_with(**values: Any) -> str:
    """Return the message for the one mistake in these top-level values."""
    return only(lambda v: v.update(values))


def accepted(**values: Any) -> None:
    parse(stacks.values("local") | values, CERTIFIED)


def each(bad: Bad) -> list[Any]:
    """Make one parameter of each change and its messages."""
    return [pytest.param(change, messages, id=name) for name, (change, messages) in bad.items()]


def release(values: Values) -> Values:
    section: Values = values["releases"]["demo1"]
    return section


def node(values: Values, name: str) -> Values:
    section: Values = release(values)["nodes"][name]
    return section
