"""What `make up` gives the cloud that it has started."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.cloud.layout import Choice, Kind, State
from dev.local import __main__ as local
from dev.local import stack


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


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a local cloud and the states of `local` and `ebi`, as `pulumi` lays them out."""
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
    said = capsys.readouterr().out
    assert "deletes .local/cloud" in said
    assert "keeps the state and the passphrase of other stacks: ebi, local-test" in said


def test_wipe_of_a_checkout_with_the_demo_alone_leaves_nothing(checkout: Path) -> None:
    for file in [*checkout.rglob("ebi*.json*"), *checkout.rglob("local-test*.json*")]:
        file.unlink()
    local.wipe()
    assert names(checkout) == ["Pulumi.ebi.yaml"]
