"""`idr` as an installed package: built, installed in an environment of its own, and run in an empty folder.

Nothing is downloaded: the dependencies are this environment's. `tests/soak/test_installation.py` installs these too.
"""

import ast
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from harness import stacks
from harness.stacks import ROOT
from idr.__main__ import COMMANDS, app
from idr.checkout import NoCheckoutError
from idr.commands import inventory
from model.outputs import contract
from model.outputs.topology import Known
from tests import stubs

UV = Path(sys.executable).with_name("uv")
PACKAGES = ("idr", "model", "cloudinit")
ADDED_BY_BUILD = ".dist-info/"
PREVIEW = ROOT / "tests" / "unit" / "review" / "previews" / "nothing.json"
LIST = (
    ROOT
    / "tests"
    / "unit"
    / "importer"
    / "idr-metadata"
    / "idr0000-demo-screen"
    / "screenA"
    / "idr0000-screenA-bulk.yml"
)
OUTPUTS = contract.outputs(
    # Nothing answers at this address, and that is known at once.
    stacks.plan_of("local"),
    stacks.secrets_of("local"),
    Known(public="127.0.0.1", bastion="127.0.0.1"),
)
OF_SAVED_OUTPUTS = (
    *(["inventory", "--format", form] for form in inventory.Format),
    ["inventory", "--list"],
    ["inventory", "--host", "demo1-redis"],
    ["diagram"],
    ["diagram", "--format", "mermaid"],
)
"""Commands whose output follows from the outputs alone, without `--from`."""
OF_A_STACK = (
    ["init"],
    ["plan"],
    ["diagram"],
    ["check"],
    ["inventory"],
    ["settings"],
    ["ssh", "demo1-redis"],
    ["apply", "demo1-redis"],
    ["status"],
    ["drift"],
    ["pin"],
    ["recover"],
    ["review"],
    ["storage", "report"],
    ["import", str(LIST)],
)
RUN_ALL = """
import json, sys
from typer.testing import CliRunner
from idr.__main__ import app
done = [CliRunner().invoke(app, arguments) for arguments in json.load(sys.stdin)]
print(json.dumps([[one.exit_code, one.stdout, one.stderr] for one in done]))
"""
REFUSED = [1, "", f"error: {NoCheckoutError()}\n"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([UV, "build", "--quiet", "--offline", "--wheel", "--out-dir", folder, ROOT], check=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    python = folder / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--offline", "--python", sys.executable, folder], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of a user who has neither a checkout nor an engine."""
    folder = tmp_path / "empty"
    folder.mkdir()
    for name in ("PULUMI_STACK", "IDR_IDENTITY", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    return folder


def run_all(environment: Path, folder: Path, *commands: list[str]) -> list[list[Any]]:
    """Return exit status, standard output and standard error of commands of the installed `idr`."""
    command = [str(environment / "bin" / "python"), "-c", RUN_ALL]
    done = subprocess.run(
        command, cwd=folder, input=json.dumps(commands), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    answers: list[list[Any]] = json.loads(done.stdout)
    return answers


@pytest.fixture
def outputs(tmp_path: Path) -> str:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS))
    return str(file)


def test_the_wheel_has_every_file_of_its_packages_and_no_other(wheel: Path) -> None:
    # Templates, scripts and tables, too; also new files that git does not track yet.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES]
    known = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and ADDED_BY_BUILD not in name]
    assert sorted(names) == sorted(name for name in known if (ROOT / name).is_file())


def test_the_wheel_declares_the_distributions_that_it_imports(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        required = re.findall(r"^Requires-Dist: ([\w.-]+)(?!.*; extra)", archive.read(name).decode(), re.MULTILINE)
    there = packages_distributions()
    foreign = {module for module in imported() if module not in PACKAGES and module not in sys.stdlib_module_names}
    # httpcore imports sniffio if it is installed.
    assert {there[module][0].lower().replace("_", "-") for module in foreign} | {"sniffio"} == set(required)


def imported() -> Iterator[str]:
    """Return the packages that the wheel's modules import, without modules that only run on machines."""
    for file in (file for name in PACKAGES for file in (ROOT / name).rglob("*.py") if "files" not in file.parts):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]
            elif isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)


def test_the_installed_command_prints_the_inventory_of_saved_outputs(
    environment: Path, empty: Path, outputs: str
) -> None:
    command = [str(environment / "bin" / "idr"), "inventory", "--from", outputs, "--list"]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == OUTPUTS["inventory"]
    assert (done.stderr, list(empty.iterdir())) == ("", [])


def test_saved_outputs_give_the_same_as_in_a_checkout(
    environment: Path, empty: Path, outputs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [[*arguments, "--from", outputs] for arguments in OF_SAVED_OUTPUTS]
    answers = run_all(environment, empty, *commands)
    # A checkout in which `make up` has run has a key that the inventory names.
    monkeypatch.setattr("idr.checkout.folder", lambda: empty)
    for arguments, answer in zip(commands, answers, strict=True):
        assert answer == [0, CliRunner().invoke(app, arguments).stdout, ""], arguments
        assert answer[1], arguments
    assert list(empty.iterdir()) == []


def test_nodes_are_reached_with_saved_outputs(
    environment: Path, empty: Path, outputs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = stubs.put(tmp_path, monkeypatch, "ssh")
    ssh.answers((0, "", ""), (255, "", "Connection refused"))
    (shell, status) = run_all(environment, empty, ["ssh", "--from", outputs, "redis"], ["status", "--from", outputs])
    assert (shell[0], ssh.calls[0].arguments[2:]) == (0, ["demo1-redis"])
    assert status[0] == 1
    assert "Public address https://127.0.0.1/" in status[1]
    assert status[2].strip() == ""
    assert all(f"{node['name']}: " in status[1] for node in OUTPUTS["topology"]["nodes"])
    assert list(empty.iterdir()) == []


def test_without_ssh_the_message_has_the_way_to_it(
    environment: Path, empty: Path, outputs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(empty))
    for answer in run_all(environment, empty, ["ssh", "--from", outputs, "redis"], ["status", "--from", outputs]):
        assert answer == [1, "", "error: ssh is not on PATH; install OpenSSH's client\n"]


def test_a_saved_preview_is_reviewed(environment: Path, empty: Path) -> None:
    ((status, out, err),) = run_all(environment, empty, ["review", "--stack", "ebi", "--preview", str(PREVIEW)])
    assert (status, out) == (0, "ebi: nothing changes\n")
    assert err == "note: there is no checkout here, so secrets are looked for in the preview only\n"


def test_what_needs_a_checkout_says_so_in_a_line_and_changes_nothing(environment: Path, empty: Path) -> None:
    assert {arguments[0] for arguments in OF_A_STACK} == set(COMMANDS) - {"manifest", "prewarm", "transfer"}
    answers = run_all(environment, empty, *([*arguments, "--stack", "ebi"] for arguments in OF_A_STACK))
    assert answers == [REFUSED] * len(OF_A_STACK)
    assert list(empty.iterdir()) == []


def test_every_command_explains_itself_and_the_message_names_those_that_read_saved_outputs(
    environment: Path, empty: Path
) -> None:
    whole = {name: (name, "report") if name == "storage" else (name,) for name in COMMANDS}
    commands = [["--version"], ["--help"], *([*words, "--help"] for words in whole.values())]
    version, *answers = run_all(environment, empty, *commands)
    assert version == [0, CliRunner().invoke(app, ["--version"]).stdout, ""]
    assert [(status, "Usage:" in out) for status, out, _ in answers] == [(0, True)] * (1 + len(COMMANDS))
    reading = {name for name, (_, out, _) in zip(COMMANDS, answers[1:], strict=True) if "--from" in out}
    named = str(NoCheckoutError()).partition(". ")[2].partition(" also ")[0]
    assert set(re.split(", | and ", named)) == reading
    guide = " ".join((ROOT / "docs" / "guide.md").read_text().replace("`", "").split())
    assert f"{named} also read saved outputs" in guide
