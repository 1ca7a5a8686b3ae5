"""Damaged files, or files of another tool: each gives one message, and never a traceback."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr import checkout, stack_file
from idr.__main__ import app
from idr.outputs import read
from idr.topology import OutputsError
from model.outputs import contract
from model.outputs.topology import Known
from model.overrides_file import with_overrides
from model.reading import SettingsError, Source, parse
from tests.yaml_table import REFUSED

runner = CliRunner()
BEGIN = stacks.STACK_FILES["local"].read_text()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(stacks.ROOT / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    return tmp_path


DAMAGED: dict[str, bytes] = {
    **REFUSED,
    "a number as a key": f"{BEGIN}  2016: x\n".encode(),
    "`on` as a key": f"{BEGIN}  on: x\n".encode(),
    "null as a key": f"{BEGIN}  ~: x\n".encode(),
    "a date as a name": BEGIN.replace("idr-debian-12", "2024-01-13").encode(),
    "one key in two forms": f"{BEGIN}  live: demo1\n".encode(),
    "`no` for false": f"{BEGIN}  idr:protectData: no\n".encode(),
    "a number as a name, deeper": BEGIN.replace("flavor: local.small}", "flavor: 4}").encode(),
    "no mapping": b"- a\n",
    "nothing": b"",
    "an override that is no text": f"{BEGIN}  idr:overrides: [a]\n".encode(),
    "an override of no file": f'{BEGIN}  idr:overrides: "a\\0b"\n'.encode(),
    "an override that is a folder": f"{BEGIN}  idr:overrides: .\n".encode(),
}


@pytest.mark.parametrize("command", ["plan", "settings"])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_stack_file_is_a_message(project: Path, name: str, command: str) -> None:
    (project / "Pulumi.local.yaml").write_bytes(DAMAGED[name])
    done = runner.invoke(app, [command, "--stack", "local"])
    assert (done.exit_code, done.stdout) == (1, ""), done.exception
    assert done.stderr.startswith("error: Pulumi.local.yaml: ")


TAKEN: dict[str, bytes] = {
    "UTF-16": BEGIN.encode("utf-16"),
    "a byte order mark and CRLF": BEGIN.replace("\n", "\r\n").encode("utf-8-sig"),
    "two documents": f"{BEGIN}---\nconfig: [\n".encode(),
    "no overrides": f"{BEGIN}  idr:overrides: ''\n".encode(),
    "an empty setting": f"{BEGIN}  idr:router:\n".encode(),
    "lists as text": f"{BEGIN}  idr:dnsServers: '[\"192.0.2.1\"]'\n".encode(),
    "a number as a name": BEGIN.replace("idr-debian-12", "4").encode(),
    "a name like a list": BEGIN.replace("idr-debian-12", "'[EOL] Debian 12'").encode(),
    "a name like markup": BEGIN.replace("idr-debian-12", "'[/red] :smile:'").encode(),
    "a name like a mapping": BEGIN.replace("idr-debian-12", "'{x}'").encode(),
    "the old form of a key": BEGIN.replace("idr:live", "idr:config:live").encode(),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_engine_takes_is_taken(project: Path, name: str) -> None:
    (project / "Pulumi.local.yaml").write_bytes(TAKEN[name])
    done = runner.invoke(app, ["plan", "--stack", "local"])
    assert done.exit_code == 0, done.stderr
    image = stack_file.read("local", project).settings.image
    assert image is not None
    assert image in done.stdout


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_overrides_file_is_a_message(tmp_path: Path, name: str) -> None:
    (tmp_path / "site.yaml").write_bytes(REFUSED[name].replace(b"config:\n", b"").replace(b"  idr:", b""))
    values = {**stacks.values("local"), "overrides": "site.yaml"}
    with pytest.raises(SettingsError) as caught:
        parse(*with_overrides(values, Source("local", "Pulumi.local.yaml"), tmp_path))
    assert str(caught.value).startswith("site.yaml: ")


def test_null_takes_away_only_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("releases: {demo2: ~}\nrouter: ~\n")
    values = {**stacks.values("local"), "overrides": "site.yaml"}
    with pytest.raises(SettingsError, match=r"site\.yaml: idr:releases\.demo2, idr:router: null takes a setting away"):
        with_overrides(values, Source("local", "Pulumi.local.yaml"), tmp_path)


KNOWN = contract.outputs(
    stacks.plan_of("local"), stacks.secrets_of("local"), Known(public="192.0.2.10", bastion="192.0.2.11")
)
OUTPUTS = json.dumps(KNOWN | {"note": "\u00e4"}, ensure_ascii=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_saved_outputs_are_read_in_the_encodings_of_json(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "outputs.json").write_bytes(OUTPUTS.encode(encoding))
    assert read(None, str(tmp_path / "outputs.json")).endpoints.web == "https://192.0.2.10/"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "No such file or directory; save the outputs with: pulumi stack output --json > FILE$"),
        (b"", r"not JSON \(line 1: .*\); save the outputs with: pulumi stack output --json > FILE$"),
        (b"[" * 100_000, "not JSON as `pulumi stack output --json` prints it"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON as `pulumi stack output --json` prints it"),
        (OUTPUTS.encode("latin-1"), "not JSON as `pulumi stack output --json` prints it"),
        (b"[]", "not an object as `pulumi stack output --json` prints it"),
        (b"\xff\xfe\0", "not JSON as `pulumi stack output --json` prints it"),
        (b"{}", "outputs with no contract number"),
    ],
)
def test_damaged_outputs_are_a_message(tmp_path: Path, data: bytes | None, message: str) -> None:
    if data is not None:
        (tmp_path / "outputs.json").write_bytes(data)
    with pytest.raises(OutputsError, match=rf"outputs\.json: {message}"):
        read(None, str(tmp_path / "outputs.json"))


BASTION, *OTHERS = KNOWN["topology"]["nodes"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"endpoints": "https://192.0.2.10/"}, "endpoints: "),
        ({"endpoints": {}}, "endpoints.web: Field required"),
        ({"certificateAuthority": None}, "certificateAuthority: "),
        ({"certificateAuthority": ""}, "certificateAuthority: "),
        ({"certificateAuthority": "\u00e4"}, "certificateAuthority: "),
        ({"cloud": []}, "cloud: "),
        ({"topology": []}, "topology: "),
        ({"topology": KNOWN["topology"] | {"nodes": []}}, "topology: nodes: none is the bastion"),
        ({"topology": KNOWN["topology"] | {"nodes": OTHERS}}, "topology: nodes: none is the bastion"),
        ({"topology": KNOWN["topology"] | {"nodes": [BASTION | {"address": None}]}}, "topology.nodes.0.address: "),
    ],
)
def test_outputs_that_are_not_as_the_contract_says_are_a_message(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(KNOWN | changed))
    done = runner.invoke(app, ["status", "--from", str(file), "--json"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {file}: not as docs/outputs.schema.json says: {message}")


def test_a_stack_may_be_named_as_pulumi_names_it(project: Path) -> None:
    (project / "Pulumi.local.yaml").write_text(BEGIN)
    for name in ("local", "organization/idr/local", "idr/local"):
        assert runner.invoke(app, ["plan", "--stack", name]).exit_code == 0, name
    for name in ("organization/idr/", "../local", "a b", ""):
        assert runner.invoke(app, ["plan", "--stack", name]).exit_code in (1, 2), name


def test_a_stack_with_a_dot_in_its_name_is_listed_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.ebi.test.yaml").write_text(BEGIN)
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    assert checkout.stack_names() == ["ebi.test"]
