"""A machine for a test: this machine's files are below; all changes are above, and disappear when the test ends.

Steps run in it as root in a mount namespace, with stand-ins for services that refuse what the real ones refuse.
"""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudinit import render
from harness import stacks
from model.plan import Node, Plan
from model.role_description import FOLDER
from tests.omero_stand_in import distribution

PROGRAMS = Path(__file__).with_name("programs")
ROLES = ("omero-account", "omero-downloads", "omero-database", "omero-readonly", "omero-server", "omero-readwrite")
VENV = "/opt/omero/server"
# Below the root of the namespace's own tmpfs, so that the upper layer is never an overlay itself. With the process that
# holds another machine, what that has.
SETUP = """
other=/proc/$1/root
mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir upper work root
[ $# = 0 ] || cp -a "$other/mnt/upper" .
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount --rbind /proc root/proc && mount --rbind /dev root/dev && mount -t tmpfs tmpfs root/run
[ $# = 0 ] || cp -a "$other/mnt/root"/run root
echo ready && exec cat
"""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Machine:
    """The process that holds the namespace open, and the archives that the steps find downloaded."""

    holder: int
    archives: Path

    def enter(self) -> list[str]:
        """Return the beginning of the command line of a program in it, with a namespace of processes as well."""
        return ["nsenter", "--target", str(self.holder), "--mount", "--pid", "chroot", "/mnt/root"]

    def run(self, command: str, text_input: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a command as root; the caller checks its exit status."""
        inside = ["env", "-i", f"PATH={PATH}", "LC_ALL=C.UTF-8", "bash", "-c", command]
        return subprocess.run([*self.enter(), *inside], input=text_input, capture_output=True, check=False, timeout=120)

    def output_of(self, command: str, text_input: bytes = b"") -> str:
        """Return the output of a command that must succeed."""
        done = self.run(command, text_input)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    def write(self, files: dict[str, bytes], mode: int = 0o755) -> None:
        """Write files."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path, content in files.items():
                about = tarfile.TarInfo(path.lstrip("/"))
                about.size, about.mode = len(content), mode
                tar.addfile(about, io.BytesIO(content))
        self.output_of("tar -C / -x", packed.getvalue())

    def database(self, **changes: Any) -> dict[str, Any]:
        """Return the content of the stand-in's database, after a change."""
        file = "/run/played/database.json"
        held: dict[str, Any] = json.loads(self.output_of(f"cat {file}")) | changes
        self.output_of(f"cat > {file} && chmod 666 {file}", json.dumps(held).encode())
        return held

    def apply(self, node: Node, plan: Plan, *, server_sum: str = "") -> tuple[int, str]:
        """Apply the OMERO roles of a node's configuration; return the exit status and the output."""
        plan = _with_sums(plan, server_sum)
        bundle = json.loads(render.bundle(node, plan, stacks.secrets_of("ebi"), {"data": "0" * 36}))
        self._fetched(plan)
        bundle["roles"] = [role for role in bundle["roles"] if role in ROLES]
        bundle["files"] = [entry for entry in bundle["files"] if _is_omeros(entry["path"])]
        # The stand-ins are healthy at once or never.
        bundle |= {"digest": bundle["digest"] + server_sum, "healthSeconds": 0, "timeouts": {}}
        done = self.run("python3 /idr-apply", json.dumps(bundle).encode())
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def _fetched(self, plan: Plan) -> None:
        """Give the machine the results of downloads and pip."""
        store, lock = "/var/cache/idr-downloads", (FOLDER / "omero-server/requirements.lock").read_bytes()
        for part, name in (("server", distribution.SERVER), ("ice", distribution.ICE), ("ice_python", "none.whl")):
            about = getattr(plan.settings.omero, part)
            content = (self.archives / name).read_bytes() if name != "none.whl" else b""
            self.write({f"{store}/{about.sha256}/{about.url.split('/')[-1]}": content})
        # An archive with another sum must be downloaded.
        for jar in (jar for jar in plan.settings.omero.jars if jar.sha256 == _sum(jar.file_name)):
            self.write({f"{store}/{jar.sha256}/{jar.file_name}": jar.url.encode()})
        addons = plan.settings.omero.addons.text if plan.settings.omero.addons else ""
        key = hashlib.sha256(_sum("ice_python")[:12].encode() + b"\n" + lock + addons.encode()).hexdigest()[:12]
        programs = {"omero": (PROGRAMS / "omero").read_bytes(), "python": b"#!/bin/sh\necho OMERO5.4__0 psql\n"}
        folder = f"{VENV}/venv-{key}"
        self.write({f"{folder}/bin/{name}": content for name, content in programs.items()})
        self.write({f"{folder}/.complete": b""})


def _sum(part: str) -> str:
    return hashlib.sha256(part.encode()).hexdigest()


def _with_sums(plan: Plan, server_sum: str) -> Plan:
    urls = {"server": distribution.SERVER, "ice": distribution.ICE, "ice_python": "none.whl"}
    parts = {
        part: getattr(plan.settings.omero, part).model_copy(
            update={"url": f"https://d.example.org/{name}", "sha256": _sum(part)}
        )
        for part, name in urls.items()
    }
    if server_sum:
        parts["server"] = parts["server"].model_copy(update={"sha256": server_sum})
    return stacks.with_settings(plan, omero=plan.settings.omero.model_copy(update=parts))


def _is_omeros(path: str) -> bool:
    server = "omero" in path and "omero-web" not in path and "/omero/web/" not in path
    beginnings = ("/usr/local/lib/idr/common/", "/etc/exports.d", "/etc/nfs.conf.d", "/etc/idr")
    return server or "idr-import" in path or path.startswith(beginnings)


@contextmanager
def running(folder: Path) -> Iterator[Machine]:
    """Run a machine without OMERO's users, as an image of a cloud is."""
    distribution.pack(folder)
    with _held() as holder:
        running_machine = Machine(holder, folder)
        stubs = {f"/usr/local/bin/{file.name}": file.read_bytes() for file in PROGRAMS.iterdir() if file.is_file()}
        del stubs["/usr/local/bin/omero"]
        running_machine.write(stubs | {"/usr/local/bin/java": (distribution.HERE / "java").read_bytes()})
        running_machine.write({"/idr-apply": (FOLDER / "bootstrap" / "idr-apply").read_bytes()})
        running_machine.output_of(
            "for user in omero-server omero-web omero-import; do ! id -u $user || userdel $user; done 2> /dev/null"
        )
        running_machine.output_of("mkdir -p -m 777 /run/played && echo '{}' > /run/played/database.json")
        running_machine.database(schema="", mark="", blitz="alive", groups={}, users={"root": {"id": 0, "hash": ""}})
        yield running_machine


@contextmanager
def copied(original: Machine) -> Iterator[Machine]:
    """Run another machine with the files of a machine."""
    with _held(str(original.holder)) as holder:
        yield Machine(holder, original.archives)


@contextmanager
def _held(*original: str) -> Iterator[int]:
    """Start the process of a new machine."""
    held = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "bash", "-ec", SETUP, "setup", *original],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert held.stdin
    assert held.stdout
    try:
        assert held.stdout.readline() == b"ready\n"
        yield held.pid
    finally:
        held.stdin.close()
        held.wait()
        held.stdout.close()


def server_sum() -> str:
    """Return the sum of the archive of OMERO.server."""
    return _sum("server")
