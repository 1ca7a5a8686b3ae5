"""What `make up` does for the cloud that it has started."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dev.cloud.layout import Choice, Kind, State
from dev.local import __main__ as local
from dev.local import stack
from dev.local.steps import StepError


@pytest.mark.parametrize(
    ("kind", "kernel"), [(Kind.CONTAINER, False), (Kind.NONE, False), (Kind.KVM, True), (Kind.QEMU, True)]
)
def test_virtual_machines_get_the_images_kernel(
    kind: Kind, kernel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(State, "choice", lambda _: Choice(kind, 0))
    monkeypatch.setattr(local, "run", commands.append)
    local.register_image(tmp_path)
    assert str(tmp_path / "rootfs.raw") in commands[0]
    assert (str(tmp_path / "vmlinuz") in commands[0]) == kernel
    assert (str(tmp_path / "initrd") in commands[0]) == kernel


TOOLCHAIN, INSTALL, PACKAGES, BUILD, UP = (
    "toolchain/install",
    "cloud install",
    "image install",
    "image build",
    "cloud up",
)


def stages_of_up(monkeypatch: pytest.MonkeyPatch, begin: Callable[[str], None]) -> list[str]:
    """Run all stages before `pulumi up`, with a function instead of each command; return the ends of the commands."""
    ended: list[str] = []

    def run(command: Sequence[str], **_: object) -> str:
        name = " ".join(command[-4:]).replace("dev.", "").replace("-m ", "")
        begin(name)
        ended.append(name)
        return "/image"

    monkeypatch.setattr(local, "run", run)
    monkeypatch.setattr(local, "register_image", lambda _: ended.append("register"))
    monkeypatch.setattr(stack, "prepare", lambda: ended.append("prepare"))
    local.cloud()
    return ended


def before(ended: list[str], one: str, other: str) -> bool:
    (first,) = (number for number, name in enumerate(ended) if one in name)
    (second,) = (number for number, name in enumerate(ended) if other in name)
    return first < second


@pytest.mark.parametrize(("long", "other"), [(TOOLCHAIN, BUILD), (TOOLCHAIN, UP), (BUILD, UP), (UP, BUILD)])
def test_stages_that_do_not_need_each_other_run_side_by_side(
    long: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_began = threading.Event()

    def begin(name: str) -> None:
        if other in name:
            other_began.set()
        if long in name:
            assert other_began.wait(5), f"{other} waits for the end of {long}"

    stages_of_up(monkeypatch, begin)


def test_what_a_stage_needs_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = stages_of_up(monkeypatch, lambda _: None)
    # Two package managers at once would wait for each other's lock, or fail.
    assert before(ended, INSTALL, PACKAGES)
    assert before(ended, INSTALL, UP)
    assert before(ended, PACKAGES, BUILD)
    assert before(ended, BUILD, "register")
    assert before(ended, UP, "register")
    assert ended[-1] == "prepare"


def test_a_stage_that_fails_ends_it_when_the_others_have_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = threading.Event()

    def begin(name: str) -> None:
        if TOOLCHAIN in name:
            raise StepError("no Go")
        if BUILD in name:
            built.set()

    with pytest.raises(StepError, match="no Go"):
        stages_of_up(monkeypatch, begin)
    assert built.is_set()
    assert "failed: Pulumi: engine, plugins, language host" in capsys.readouterr().out


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout with a local cloud and the states of `local` and `ebi`, in the folders of `pulumi`."""
    folder = tmp_path / ".local"
    files = ["cloud/clouds.yaml", "ssh/id_ed25519", "passphrase"]
    for name in ("local", "ebi", "local-test"):
        files += [f"state/.pulumi/stacks/idr/{name}.json", f"state/.pulumi/stacks/idr/{name}.json.bak"]
        files += [f"state/.pulumi/{kind}/idr/{name}/{name}-1.json" for kind in ("history", "backups")]
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "Pulumi.local.yaml").write_text("")
    (tmp_path / "Pulumi.ebi.yaml").write_text("")
    monkeypatch.setattr(stack, "LOCAL", folder)
    monkeypatch.setattr(stack, "STATE", folder / "state")
    monkeypatch.setattr(stack, "STACK_FILE", tmp_path / "Pulumi.local.yaml")
    monkeypatch.setattr(local, "ROOT", tmp_path)
    monkeypatch.setattr(local, "run", lambda _: "")
    return tmp_path


def names(checkout: Path) -> list[str]:
    return sorted(str(file.relative_to(checkout)) for file in checkout.rglob("*") if file.is_file())


def test_wipe_deletes_what_belongs_to_local_and_nothing_of_another_stack(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names(checkout)
    local.wipe()
    kept = names(checkout)
    assert kept == [name for name in before if "ebi" in name or "local-test" in name or name.endswith("passphrase")]
    output = capsys.readouterr().out
    assert "deletes .local/cloud" in output
    assert "keeps the state and the passphrase of other stacks: ebi, local-test" in output


def test_wipe_of_a_checkout_with_the_demo_alone_leaves_nothing(checkout: Path) -> None:
    for file in [*checkout.rglob("ebi*.json*"), *checkout.rglob("local-test*.json*")]:
        file.unlink()
    local.wipe()
    assert names(checkout) == ["Pulumi.ebi.yaml"]
