"""A site's or an occasion's own file on top of a stack file."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness import stacks
from model.overrides import merge
from model.reading import SettingsError, Source, parse, with_overrides

SOURCE = Source("local", "Pulumi.local.yaml")
# Few names, so that both files often have the same.
NAMES = st.sampled_from(["a", "b", "c", "ä", ""])
VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(NAMES, VALUES, max_size=3)


def above(folder: Path, **values: object) -> dict[str, object]:
    """The local stack's values, with a file of overrides that says `values`."""
    (folder / "site.yaml").write_text(yaml.safe_dump(values))
    return {**stacks.values("local"), "overrides": "site.yaml"}


def test_mappings_merge_and_everything_else_replaces() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"c": [3]}, "d": {"e": 2}}) == {"a": {"b": 1, "c": [3]}, "d": {"e": 2}}


def test_null_takes_a_key_away() -> None:
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}) == {"a": {"c": 2}}


@given(MAPPINGS)
def test_nothing_on_top_changes_nothing(base: dict[str, object]) -> None:
    assert merge(base, {}) == base


@given(MAPPINGS, MAPPINGS)
def test_the_same_on_top_twice_is_as_once(base: dict[str, object], top: dict[str, object]) -> None:
    once = merge(base, top)
    assert merge(once, top) == once


def test_an_override_reaches_the_settings(tmp_path: Path) -> None:
    values = above(tmp_path, flavors={"local.small": {"memoryMib": 1024}}, live="demo1")
    merged, source = with_overrides(values, SOURCE, tmp_path)
    assert parse(merged, source).flavors["local.small"].memory_mib == 1024
    assert parse(merged, source).flavors["local.small"].vcpus == 1


def test_every_value_says_which_file_it_came_from(tmp_path: Path) -> None:
    values = above(tmp_path, flavors={"local.small": {"memoryMib": 1024}})
    _, source = with_overrides(values, SOURCE, tmp_path)
    assert source.origins["flavors", "local.small", "memoryMib"] == "site.yaml"
    assert source.origins["flavors", "local.small", "vcpus"] == "Pulumi.local.yaml"


def test_a_mistake_names_the_file_that_made_it(tmp_path: Path) -> None:
    values = above(tmp_path, flavors={"local.small": {"memoryMib": -1}}) | {"colour": "blue"}
    merged, source = with_overrides(values, SOURCE, tmp_path)
    with pytest.raises(SettingsError) as caught:
        parse(merged, source)
    assert str(caught.value).splitlines() == [
        "site.yaml: idr:flavors.local.small.memoryMib: must be at least 512 (given: -1)",
        "Pulumi.local.yaml: idr:colour: is not a setting",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "Pulumi.local.yaml: idr:overrides: cannot read 'site.yaml': No such file or directory"),
        ("- a list", "site.yaml: must be a mapping of settings, written without `idr:`"),
        (
            "stackSecret: " + "x" * 40,
            "site.yaml: idr:stackSecret: is in plain text; keep it with: pulumi config set --secret idr:stackSecret",
        ),
        ("a: [", "site.yaml: line 1: expected the node content, but found '<stream end>'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        with_overrides({"overrides": "site.yaml"}, SOURCE, tmp_path)
    assert str(caught.value) == message
