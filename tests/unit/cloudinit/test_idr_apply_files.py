"""Files that idr-apply writes: with owner and mode from the start, and never through a link of another account."""

import grp
import os
import pwd

import pytest

from tests.unit.cloudinit.conftest import Machine


def test_what_is_kept_of_a_bundle_is_for_root_alone(machine: Machine) -> None:
    machine.program.apply(machine.bundle("a secret\n", "d1"))
    assert "a secret" in machine.program.KEPT.read_text()
    assert machine.program.KEPT.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_a_link_instead_of_the_new_file_is_not_followed(machine: Machine, link: str) -> None:
    """A service that owns the folder could otherwise make root write any file, and give it to the service."""
    target = machine.folder / "root's own"
    target.write_text("untouched")
    before = target.stat()
    new = machine.folder / ".service.conf.idr-new"
    if link == "symbolic":
        new.symlink_to(target)
    else:
        os.link(target, new)
    machine.program.apply(machine.bundle("one\n", "d1"))
    after = target.stat()
    assert target.read_text() == "untouched"
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert machine.config.read_text() == "one\n"


def test_a_link_on_the_way_to_a_file_is_not_followed(machine: Machine) -> None:
    """A link instead of a service's folder, or of a folder in it, would let root write into another one."""
    elsewhere, folder = machine.folder / "root's", machine.folder / "service"
    elsewhere.mkdir()
    (elsewhere / "a.conf").write_text("untouched")
    folder.symlink_to(elsewhere)
    entry = machine.file(folder / "a.conf", "one\n")
    for wanted in (entry, None):
        with pytest.raises(machine.program.Failure, match="service is a link or no folder"):
            machine.program.put(entry["path"], wanted)
    assert [file.name for file in elsewhere.iterdir()] == ["a.conf"]
    assert (elsewhere / "a.conf").read_text() == "untouched"


def test_a_file_of_roots_is_not_written_into_a_folder_of_a_services(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service could exchange that file. Its own files are written there."""
    folder = machine.folder / "service"
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        if not os.path.samestat(status, folder.stat()):
            return status
        return os.stat_result((*status[:4], pwd.getpwnam("nobody").pw_uid, *status[5:]))

    folder.mkdir()
    monkeypatch.setattr(machine.program.os, "fstat", fstat)
    monkeypatch.setattr(machine.program.os, "fchown", lambda *_: None)
    with pytest.raises(machine.program.Failure, match="service belongs to user 65534, not to root"):
        machine.program.write(machine.file(folder / "a.conf", "one\n"))
    assert list(folder.iterdir()) == []
    machine.program.write({**machine.file(folder / "a.conf", "one\n"), "owner": "nobody"})
    assert (folder / "a.conf").read_text() == "one\n"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_file_is_replaced_and_not_read(machine: Machine, kind: str) -> None:
    """Root would wait for a pipe for ever, and a rollback would replace a link by its target."""
    secret = machine.folder / "secret"
    secret.write_text("a secret")
    if kind == "link":
        machine.config.symlink_to(secret)
    else:
        os.mkfifo(machine.config)
    assert machine.program.read(machine.config) is None
    machine.program.apply(machine.bundle("one\n", "d1"))
    assert machine.config.read_text() == "one\n"
    assert not machine.config.is_symlink()
    assert secret.read_text() == "a secret"


def test_a_file_gets_its_owner_and_group_before_it_is_in_its_folder(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int, bool]] = []
    monkeypatch.setattr(
        machine.program.os, "fchown", lambda _, user, group: given.append((user, group, machine.config.exists()))
    )
    nobody = pwd.getpwnam("nobody")
    group = grp.getgrgid(nobody.pw_gid).gr_name
    machine.program.write({**machine.file(machine.config, "one\n"), "owner": "nobody", "group": group})
    assert given == [(nobody.pw_uid, nobody.pw_gid, False)]
    assert machine.config.exists()
