"""Files beside a list: used by their names, refused if they are useless, and unable to run code on the node."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from idr.errors import IdrError
from idr.importer.beside import Beside, shared
from idr.importer.rows import RowError
from idr.imports import beside

TABLE = base64.b64encode(gzip.compress(b"Plate,Well\n")).decode()


def put(folder: Path, **files: str) -> Path:
    for ending, text in files.items():
        name = {"annotation": "annotation.csv", "keys": "bulkmap-config.yml", "render": "renderdef.yml"}[ending]
        (folder / f"idr0001-screenA-{name}").write_text(text)
    return folder / "idr0001-screenA-bulk.yml"


def test_they_are_found_by_the_name_of_the_list(tmp_path: Path) -> None:
    file = put(
        tmp_path, annotation="Plate,Well\n", keys="columns:\n  - name: Well\n", render="channels:\n  1: {min: 5}\n"
    )
    contents = beside.read(file)
    assert contents["renderdef"] == {"channels": {"1": {"min": 5}}}
    assert contents["bulkmap-config"] == {"columns": [{"name": "Well"}]}
    assert gzip.decompress(base64.b64decode(contents["annotation"])) == b"Plate,Well\n"
    # The same bytes make the same version, compressed or not.
    (tmp_path / "idr0001-screenA-annotation.csv").unlink()
    (tmp_path / "idr0001-screenA-annotation.csv.gz").write_bytes(gzip.compress(b"Plate,Well\n"))
    assert beside.read(file) == contents
    assert beside.read(tmp_path / "other-bulk.yml") == {}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"render": "min: 5\n"}, "renderdef: has no 'channels'"),
        ({"render": "channels: {red: {min: 5}}\n"}, "channels are numbers from 1 with settings, and not red"),
        ({"render": "a: [\n"}, "no settings in YAML"),
        ({"keys": "columns: []\n"}, "there is a bulkmap-config and no annotation"),
        ({"keys": "name: x\n", "annotation": "a,b\n"}, "bulkmap-config: has no 'columns'"),
        ({"annotation": "one column\n"}, "its first line has no columns"),
    ],
)
def test_what_omero_would_refuse_is_told_before_anything_is_imported(
    tmp_path: Path, files: dict[str, str], why: str
) -> None:
    with pytest.raises(IdrError, match=r"idr0001-screenA.*") as caught:
        beside.read(put(tmp_path, **files))
    assert why in str(caught.value)


def test_two_tables_are_refused(tmp_path: Path) -> None:
    file = put(tmp_path, annotation="a,b\n")
    (tmp_path / "idr0001-screenA-annotation.csv.gz").write_bytes(b"")
    with pytest.raises(IdrError, match="keep one of them"):
        beside.read(file)


def keys(value: str) -> dict[str, Any]:
    return {"annotation": TABLE, "bulkmap-config": {"columns": [{"name": "x", "clientvalue": value}]}}


@pytest.mark.parametrize("value", ["https://www.ebi.ac.uk/cmpo/{{ value }}", "{{value}}:{{ value }}", "plain {x}"])
def test_the_value_can_be_in_an_address(value: str) -> None:
    content = Beside.of(keys(value)).files["bulkmap-config"]
    assert json.loads(content)["columns"][0]["clientvalue"] == value


@pytest.mark.parametrize(
    "value",
    [
        "{{ value.__class__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% include '/etc/passwd' %}",
        "{# #}",
        "{{{ value }}}",
        "{{ '{{ value }}'.__class__ }}",
        "{{{ value }}{ cycler }}",
        "{{ value }}{{ cycler",
    ],
)
def test_no_other_template_is_taken(value: str) -> None:
    """OMERO renders it with Jinja, which could run any code on the node."""
    with pytest.raises(RowError, match="the only thing between braces"):
        Beside.of(keys(value))
    with pytest.raises(RowError, match="the only thing between braces"):
        Beside.of({"annotation": TABLE, "bulkmap-config": {"columns": [], "defaults": {"clientvalue": value}}})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"../x": {}}, "beside a list there can be"),
        ({"annotation": "%"}, "is not compressed"),
        ({"annotation": base64.b64encode(b"a,b").decode()}, "is not compressed"),
        ({"renderdef": []}, "has no 'channels'"),
        # YAML reads an unquoted 000000 as a number, which OMERO ignores without a message.
        ({"renderdef": {"channels": {"1": {"color": 0}}}}, "channel 1: color 0 is neither hexadecimal digits in"),
        ({"renderdef": {"channels": {"2": {"color": "red"}}}}, "channel 2: color 'red' is neither"),
        ({"renderdef": {"channels": {"1": {"min": "a"}}}}, "channel 1: min is no number"),
        ({"renderdef": {"channels": {"1": {"end": float("nan")}}}}, "channel 1: end is no number"),
        (
            {"renderdef": {"channels": {"1": {"start": 1, "max": 2}}}},
            "give 'version': 2 where min and max are those of",
        ),
        ({"renderdef": {"version": 3, "channels": {"1": {}}}}, "version is 1 or 2"),
        ({"renderdef": {"channels": {"1": {}}, "z": 0}}, "z is a whole number from 1"),
    ],
)
def test_the_node_takes_nothing_else(data: dict[str, Any], why: str) -> None:
    with pytest.raises(RowError, match=why):
        Beside.of(data)


def test_shared_namespaces_are_those_of_groups() -> None:
    groups: list[dict[str, Any]] = [{"group": {"namespace": name, "columns": []}} for name in ("b", "a", "b")]
    assert shared({"columns": [*groups, {"name": "x"}]}) == ["a", "b"]
