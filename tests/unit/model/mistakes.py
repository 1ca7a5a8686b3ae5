"""What is said of a stack file after a change to it."""

from collections.abc import Callable
from typing import Any

import pytest

from harness import stacks
from model.reading import SettingsError, Source, parse

Values = dict[str, Any]
SOURCE = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret"}))


def mistakes(change: Callable[[Values], object], source: Source = SOURCE) -> list[str]:
    """What is said of the local stack file after a change to it."""
    values = stacks.values("local")
    change(values)
    with pytest.raises(SettingsError) as caught:
        parse(values, source)
    return str(caught.value).splitlines()


def release(values: Values) -> Values:
    found: Values = values["releases"]["demo1"]
    return found


def node(values: Values, name: str) -> Values:
    found: Values = release(values)["nodes"][name]
    return found
