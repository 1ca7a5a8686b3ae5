"""What `make up` gives the cloud that it has started."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.cloud.layout import Choice, Kind, State
from dev.local import __main__ as local


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
