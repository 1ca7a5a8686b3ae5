"""The installer's decisions and the launcher, without building anything."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests import programs

CHECKOUT = Path(__file__).parents[3]
TOOLCHAIN = CHECKOUT / "dev" / "toolchain"
HOST = TOOLCHAIN / "language" / "pulumi-language-python"

install = programs.load(TOOLCHAIN / "install")


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def test_versions_are_those_of_the_locked_python_packages() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^(pulumi[\w-]*)==(\S+)", lock, re.MULTILINE))
    assert locked["pulumi"] == install.ENGINE
    assert {name: locked[f"pulumi-{name}"] for name in install.PLUGINS} == install.PLUGINS


def test_engine_in_go_mod_is_the_one_that_is_announced() -> None:
    assert f"github.com/pulumi/pulumi/pkg/v3 v{install.ENGINE}\n" in (TOOLCHAIN / "go.mod").read_text()


def test_changed_source_means_another_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("go.mod", "go.sum", "cmd/a.go"):
        program(tmp_path / name, "one")
    monkeypatch.setattr(install, "HERE", tmp_path)
    before = install.build_folder()
    (tmp_path / "cmd/a.go").write_text("two")
    assert install.build_folder() != before


def test_launcher_never_replaces_another_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = program(tmp_path / ".local/bin/pulumi", "#!/bin/sh\necho other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(other.parent))
    with pytest.raises(install.CannotError, match="another pulumi"):
        install.install_launcher()
    assert "other" in other.read_text()


def test_launcher_is_put_on_path_and_known_as_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".local" / "bin"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(folder))
    install.install_launcher()
    assert install.is_ours(folder / "pulumi")
    assert (folder / "pulumi").stat().st_mode & stat.S_IXUSR
    assert install.foreign_pulumi() is None


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with passphrase and state, and a build whose engine only prints its environment."""
    shown = 'echo "$PULUMI_CONFIG_PASSPHRASE_FILE|$PULUMI_BACKEND_URL|$*"\n'
    program(tmp_path / "cache/toolchain/0123/bin/pulumi", "#!/bin/sh\n" + shown)
    project = tmp_path / "project"
    (project / "sub").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: x\nbackend:\n  url: file://./.local/state?create_dir=true\n")
    program(project / ".local/passphrase", "secret")
    return project


def launch(folder: Path, cache: Path, *arguments: str, **variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cache), "IDR_CACHE": str(cache), **variables}
    command = ["sh", str(TOOLCHAIN / "launcher.sh"), *(arguments or ("up", "-y"))]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


NAMES_LOCAL = [
    ["up", "-s", "local"],
    ["up", "-slocal"],
    ["config", "get", "x", "--stack=local"],
    ["config", "--stack", "organization/idr/local"],
    ["stack", "init", "local"],
    ["stack", "select", "local", "--create"],
]


@pytest.mark.parametrize("arguments", NAMES_LOCAL, ids=" ".join)
def test_launcher_gives_the_local_passphrase_to_the_stack_local(project: Path, arguments: list[str]) -> None:
    shown = launch(project, project.parent / "cache", *arguments)
    assert shown == f"{project}/.local/passphrase||{' '.join(arguments)}"


@pytest.mark.parametrize("arguments", NAMES_LOCAL, ids=" ".join)
@pytest.mark.parametrize("stack", ["ebi", "local-test", "test-local"])
def test_launcher_gives_it_to_no_other_stack(project: Path, arguments: list[str], stack: str) -> None:
    """`make wipe` deletes it: what another stack encrypted with it would be lost for ever."""
    other = [word.replace("local", stack) for word in arguments]
    assert launch(project, project.parent / "cache", *other, PULUMI_STACK="local").startswith("||")


@pytest.mark.parametrize(("selected", "given"), [("local", True), ("ebi", False)])
def test_without_a_name_the_selected_stack_counts(project: Path, selected: str, given: bool) -> None:
    engine = project.parent / "cache/toolchain/0123/bin/pulumi"
    engine.write_text(
        f'#!/bin/sh\n[ "$2" = --show-name ] && echo {selected} || echo "$PULUMI_CONFIG_PASSPHRASE_FILE"\n'
    )
    assert bool(launch(project, project.parent / "cache")) is given


def test_launcher_leaves_a_given_passphrase_alone(project: Path) -> None:
    shown = launch(project, project.parent / "cache", "up", "-s", "local", PULUMI_CONFIG_PASSPHRASE="")
    assert shown == "||up -s local"


def test_launcher_uses_the_same_state_from_a_sub_folder(project: Path) -> None:
    shown = launch(project / "sub", project.parent / "cache")
    assert shown.split("|")[1] == f"file://{project}/./.local/state?create_dir=true"


@pytest.mark.parametrize(("given", "used"), [({}, "true"), ({"PULUMI_OPTION_SUPPRESS_OUTPUTS": "false"}, "false")])
def test_launcher_keeps_outputs_off_the_screen_unless_asked(project: Path, given: dict[str, str], used: str) -> None:
    """Hundreds of lines of outputs hid the reason why an `up` failed."""
    engine = project.parent / "cache/toolchain/0123/bin/pulumi"
    engine.write_text('#!/bin/sh\necho "$PULUMI_OPTION_SUPPRESS_OUTPUTS"\n')
    assert launch(project, project.parent / "cache", **given) == used


@pytest.mark.parametrize(("given", "used"), [({}, "400"), ({"GOGC": "50"}, "50")])
def test_launcher_lets_the_engine_look_for_garbage_less_often(project: Path, given: dict[str, str], used: str) -> None:
    engine = project.parent / "cache/toolchain/0123/bin/pulumi"
    engine.write_text('#!/bin/sh\necho "$GOGC"\n')
    assert launch(project, project.parent / "cache", **given) == used


@pytest.mark.parametrize("option", ["  virtualenv: here/venv", "    virtualenv: 'here/venv'  # ours"])
def test_programs_run_in_the_virtual_environment_of_the_nearest_project(tmp_path: Path, option: str) -> None:
    program(tmp_path / "here/venv/bin/python3", '#!/bin/sh\necho "$0" "$@"\n')
    (tmp_path / "Pulumi.yaml").write_text(f"runtime:\n  options:\n{option}\n")
    (tmp_path / "below").mkdir()
    done = subprocess.run([HOST, "engine"], cwd=tmp_path / "below", capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        f"{tmp_path}/here/venv/bin/python3",
        "-u",
        f"{HOST.parent}/language_host.py",
        "engine",
    ]


def test_without_a_virtual_environment_the_shells_is_used(tmp_path: Path) -> None:
    program(tmp_path / "mine/bin/python3", '#!/bin/sh\necho "$0"\n')
    environment = {**os.environ, "VIRTUAL_ENV": str(tmp_path / "mine")}
    done = subprocess.run([HOST], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{tmp_path}/mine/bin/python3"


def test_a_missing_virtual_environment_is_named(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime:\n  options:\n    virtualenv: nowhere\n")
    done = subprocess.run([HOST], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"there is no {tmp_path}/nowhere/bin/python3" in done.stderr
