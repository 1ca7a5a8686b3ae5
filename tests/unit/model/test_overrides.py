"""A file of a site or an event that overrides a stack file."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness import stacks
from idr.review.affected import stacks_touched
from model import overrides_file
from model.overrides import merge
from model.overrides_file import with_overrides
from model.reading import SettingsError, Source, parse

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
    """Return the local stack's values, with a file of overrides that has `values`."""
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


def test_a_mistake_names_the_file_with_it(tmp_path: Path) -> None:
    values = above(tmp_path, flavors={"local.small": {"memoryMib": -1}}) | {"colour": "blue"}
    merged, source = with_overrides(values, SOURCE, tmp_path)
    with pytest.raises(SettingsError) as caught:
        parse(merged, source)
    assert str(caught.value).splitlines() == [
        "site.yaml: idr:flavors.local.small.memoryMib: must be at least 512 (given: -1)",
        "Pulumi.local.yaml: idr:colour: is not a setting; docs/settings.md has all",
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


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"proxies": {"http": "http://me:hunter2@proxy.example.org:3128"}}, "proxies.http"),
        ({"omero": {"config": {"omero.ldap.password": "hunter2"}}}, "omero.config.omero.ldap.password"),
        ({"releases": {"demo1": {"web": {"config": {"omero.mail.password": 7}}}}}, "releases.demo1.web.config"),
        ({"nfsMounts": ["x://a:hunter2@b"]}, "nfsMounts"),
        ({"s3Mounts": [{"bucket": "a"}, {"secretKey": "hunter2"}]}, "s3Mounts.1.secretKey"),
    ],
)
def test_a_secret_that_this_file_cannot_encrypt_is_refused_and_not_repeated(
    tmp_path: Path, values: dict[str, object], key: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        with_overrides(above(tmp_path, **values), SOURCE, tmp_path)
    assert str(caught.value).startswith(f"site.yaml: idr:{key}")
    assert "is a secret, which only the stack file can keep" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_pulumi_is_to_encrypt_is_named_as_its_option_path_takes_it(tmp_path: Path) -> None:
    config: dict[str, object] = {"config": {"omero.ldap.password": "hunter2"}}
    command = """pulumi config set --secret --path 'idr:omero.config["omero.ldap.password"]'"""
    with pytest.raises(SettingsError, match=re.escape(command)):
        with_overrides(above(tmp_path, omero=config), SOURCE, tmp_path)


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"omero": {"config": {"omero.ldap.password": "hunter2"}}}, 'omero.config["omero.ldap.password"]'),
        ({"web": {"config": {"omero.mail.password": "hunter2"}}}, 'web.config["omero.mail.password"]'),
        (
            {"releases": {"demo1": {"web": {"config": {"omero.mail.password": "hunter2"}}}}},
            'releases.demo1.web.config["omero.mail.password"]',
        ),
    ],
)
def test_a_password_of_omeros_configuration_is_encrypted_in_the_stack_file(
    change: dict[str, object], option: str
) -> None:
    values = merge(stacks.values("local"), change)
    with pytest.raises(SettingsError) as caught:
        parse(values, SOURCE)
    command = f"is in plain text; keep it with: pulumi config set --secret --path 'idr:{option}'"
    assert command in str(caught.value)
    assert "hunter2" not in str(caught.value)
    top = next(iter(change))
    if top == "web":
        parse(values, Source("local", "Pulumi.local.yaml", encrypted=frozenset({top})))


def test_a_release_may_be_named_as_it_likes() -> None:
    values = stacks.values("local")
    values["releases"]["notsosecret"] = values["releases"].pop("demo1")
    assert parse(values | {"live": "notsosecret"}, SOURCE).live == "notsosecret"


def test_what_is_named_like_a_secret_and_is_none_is_taken(tmp_path: Path) -> None:
    harmless = {
        "omero.security.password_required": True,
        "omero.web.show_forgot_password": True,
        "omero.ldap.urls": "ldap://ldap.example.org:389",
    }
    values, _ = with_overrides(above(tmp_path, publicPassword="public", omero={"config": harmless}), SOURCE, tmp_path)
    assert values["omero"]["config"] == harmless


@pytest.mark.parametrize(
    "name",
    [
        "docs/site.yaml",
        "tests/site.yaml",
        "dev/local/site.yaml",
        ".github/workflows/check.yml",
        "../site.yaml",
        "/etc/site.yaml",
        "a/../docs/site.yaml",
        "./docs/site.yaml",
        "README.md",
        "Pulumi.uod.yaml",
        "Pulumi.yaml",
        "a\0b.yaml",
        ".",
    ],
)
def test_a_file_whose_change_no_review_would_see_is_refused(tmp_path: Path, name: str) -> None:
    if "\0" not in name and not name.startswith(("/", "..")) and name != ".":
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("live: demo1\n")
    with pytest.raises(SettingsError, match=r"^Pulumi\.local\.yaml: idr:overrides: (must be a YAML file|cannot be )"):
        with_overrides({"overrides": name}, SOURCE, tmp_path)


@given(st.from_regex(overrides_file._OVERRIDES_FILE, fullmatch=True))
def test_a_change_of_a_file_that_is_accepted_is_reviewed(name: str) -> None:
    if overrides_file._problem_of_path(name) is None:
        assert stacks_touched([name], ("ebi",)) == ["ebi"]
