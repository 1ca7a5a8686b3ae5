"""YAML as the engine reads it. tests/engine/test_reading.py checks the same table with the engine itself."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import yaml_text
from tests.yaml_table import REFUSED, TAKEN


@pytest.mark.parametrize("written", TAKEN)
def test_a_value_is_what_the_engine_makes_of_it(written: str) -> None:
    value = yaml_text.load(f"a: {written}\n".encode())["a"]
    assert (value if isinstance(value, dict | list) else yaml_text.as_text(value)) == TAKEN[written]


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - {"three parts in a key"}))
def test_what_the_engine_refuses_is_refused(name: str) -> None:
    with pytest.raises(yaml_text.YamlError, match=r"^(line \d+: |holds the character U\+000[07], )"):
        yaml_text.load(REFUSED[name])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is in line 1 already"),
        (b"a:\n  - 1\n\tb: 2\n", "line 3: a tab cannot stand here; indent with spaces"),
        ("a: 1\nb: \u00e4".encode("latin-1"), "line 2: is not text in UTF-8; save the file as UTF-8"),
        (b"a: [1\nb: 2\n", "line 2: expected ',' or ']', but got ':' (while parsing a flow sequence, begun in line 1)"),
        (b"a: " + b"[" * 150 + b"]" * 150, "line 1: is nested more than 100 levels deep"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "is nested more than 100 levels deep"),
    ],
)
def test_a_mistake_is_named_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(yaml_text.YamlError) as caught:
        yaml_text.load(data)
    assert str(caught.value) == message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_yaml_are_read(encoding: str) -> None:
    assert yaml_text.load("a: \u00e4\r\n".encode(encoding)) == {"a": "\u00e4"}


def test_what_follows_the_first_document_is_not_read() -> None:
    assert yaml_text.load(b"a: 1\n---\nb: [\n") == {"a": 1}


@given(st.binary(max_size=60) | st.text("aA0:-[]{}&*!|>'\"#%@,?<~.\n \t", max_size=40).map(str.encode))
def test_any_text_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(yaml_text.YamlError):
        yaml_text.load(data)
