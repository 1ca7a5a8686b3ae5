"""The static site of a proxy: downloaded, unpacked and replaced by `idr-apply` on a machine of its own."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudinit import render
from harness import proxy, stacks
from model.public_site import Pages, PublicSite
from tests.omero_stand_in.distribution import served, sha256
from tests.unit.omero import machine as machines
from tests.unit.omero.machine import Machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a machine of its own needs root: mounts and users")

ROLES = ("omero-downloads", "proxy-pages")
SERVED = "/srv/idr-pages/current"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "machine").mkdir()
    with machines.running(tmp_path / "machine") as running_machine:
        yield running_machine


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    with served(tmp_path / "web", "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


def packed(file: Path, entries: dict[str, bytes | tarfile.TarInfo]) -> str:
    """Write an archive; return its sum."""
    with tarfile.open(file, "w:gz") as tar:
        for name, content in entries.items():
            about = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            about.name = name
            if isinstance(content, bytes):
                about.size, about.mode = len(content), 0o600
            tar.addfile(about, io.BytesIO(content) if isinstance(content, bytes) else None)
    return sha256(file)


def kind(what: bytes, target: str = "") -> tarfile.TarInfo:
    """Make an entry of an archive that is no regular file."""
    about = tarfile.TarInfo()
    about.type, about.linkname = what, target
    return about


def apply(machine: Machine, url: str, total: str) -> tuple[int, str]:
    """Apply a proxy's roles for the static site; return the exit status and the output."""
    # Not validated: this machine is the server.
    pages = Pages.model_construct(url=url, sha256=total, path="/about/")
    plan = stacks.with_settings(stacks.plan_of("local"), site=PublicSite.model_construct(pages=pages, locations=()))
    bundle = json.loads(render.bundle(proxy.proxy_node(plan), plan, stacks.secrets_of("local"), {}))
    assert [role for role in bundle["roles"] if role in (*ROLES, "proxy")] == [*ROLES, "proxy"]
    bundle["roles"] = list(ROLES)
    wanted = ("/usr/local/lib/idr/common/", "/etc/idr/node.env", *(f"/usr/local/lib/idr/{role}/" for role in ROLES))
    bundle["files"] = [entry for entry in bundle["files"] if entry["path"].startswith(wanted)]
    bundle |= {"services": {}, "units": {}, "timeouts": {}, "healthSeconds": 0}
    done = machine.run("python3 /idr-apply", json.dumps(bundle).encode())
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def page(machine: Machine) -> str:
    return machine.output_of(f"cat {SERVED}/index.html")


def test_a_site_replaces_the_one_before(machine: Machine, tmp_path: Path, base: str) -> None:
    for number in ("1", "2", "3"):
        # The IDR's archive has all files in one folder.
        folder = "idr.openmicroscopy.org/" if number == "2" else ""
        entries: dict[str, bytes | tarfile.TarInfo] = {
            f"{folder}{name}": number.encode() for name in ("index.html", "a/b")
        }
        total = packed(tmp_path / "web" / f"{number}.tar.gz", entries)
        status, output = apply(machine, f"{base}/{number}.tar.gz", total)
        assert status == 0, output
        assert (page(machine), machine.output_of(f"cat {SERVED}/a/b")) == (number, number)
    assert machine.output_of(f"stat -L -c '%U %a' {SERVED} {SERVED}/index.html").split() == [
        "root",
        "755",
        "root",
        "644",
    ]
    # The previous pages stay, for a rollback.
    assert len(machine.output_of("ls -d /srv/idr-pages/*/").split()) == 2 + len(["current/", "current.before/"])


def test_a_wrong_sum_is_one_message_and_the_old_site_is_served(machine: Machine, tmp_path: Path, base: str) -> None:
    total = packed(tmp_path / "web" / "1.tar.gz", {"index.html": b"old"})
    assert apply(machine, f"{base}/1.tar.gz", total)[0] == 0
    other = packed(tmp_path / "web" / "2.tar.gz", {"index.html": b"new"})
    status, output = apply(machine, f"{base}/2.tar.gz", "0" * 64)
    assert (status, page(machine)) == (1, "old")
    (line,) = [line for line in output.splitlines() if "site.pages: " in line]
    assert line.startswith(
        f"site.pages: {base}/2.tar.gz has SHA-256 {other}, the settings say {'0' * 64}; not unpacked."
    )
    assert "The previous configuration is back in force." in output


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            {"index.html": b"x", "a": kind(tarfile.SYMTYPE, "/etc/passwd")},
            "has something else than files and folders in it: a",
        ),
        (
            {"index.html": b"x", "a": kind(tarfile.LNKTYPE, "index.html")},
            "has something else than files and folders in it: ",
        ),
        ({"index.html": b"x", "a": kind(tarfile.FIFOTYPE)}, "has something else than files and folders in it: a"),
        ({"index.html": b"x", "../../../etc/cron.d/x": b"x"}, "cannot be unpacked: "),
        ({"a.html": b"x"}, "has no index.html at its top"),
        ({"a/x.html": b"x", "b/index.html": b"x"}, "has no index.html at its top"),
        ({}, "has no index.html at its top"),
    ],
)
def test_an_archive_that_is_no_site_is_refused(
    machine: Machine, tmp_path: Path, base: str, entries: dict[str, bytes | tarfile.TarInfo], message: str
) -> None:
    total = packed(tmp_path / "web" / "1.tar.gz", entries)
    status, output = apply(machine, f"{base}/1.tar.gz", total)
    assert status == 1
    assert f"site.pages: the archive {message}" in output
    assert machine.output_of("ls -A /srv/idr-pages") == ""
    assert machine.run("test -e /etc/cron.d/x").returncode == 1


def test_what_is_no_archive_is_refused(machine: Machine, tmp_path: Path, base: str) -> None:
    (tmp_path / "web" / "1.tar.gz").write_text("<html>not found</html>")
    status, output = apply(machine, f"{base}/1.tar.gz", sha256(tmp_path / "web" / "1.tar.gz"))
    assert (status, "site.pages: the archive cannot be unpacked: " in output) == (1, True), output
