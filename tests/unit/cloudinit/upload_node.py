"""A node that accepts uploads: its files, accounts and SFTP server in a mount namespace."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudinit import render
from harness import stacks
from harness.ports import free_port
from model.roles import Role
from tests.unit.omero.machine import PATH, SETUP, Machine
from tests.waiting import wait_until

STEPS = ("prepare", "check", "activate")
# The first process of a machine reaps all processes that end; cat would not.
REAPING = SETUP.replace("exec cat", "cat; true")
PREPARED = """
mkdir -p /run/sshd /srv /etc/idr && mount -t tmpfs -o size=100g,mode=755 tmpfs /srv && rm -rf /etc/idr/upload
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key <<< y > /dev/null
id sshd > /dev/null 2>&1 || useradd --system --home-dir /run/sshd --shell /usr/sbin/nologin sshd
"""
CLIENT_OPTIONS = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
"""Options of OpenSSH's clients: no user configuration of this machine, and any host key."""


@dataclass
class Node:
    """A node with the role, and its SFTP server."""

    machine: Machine
    port: int
    folder: Path

    def idr_upload(self, *arguments: object) -> "subprocess.CompletedProcess[bytes]":
        return self.machine.run(" ".join(["idr-upload", *(f"'{one}'" for one in arguments)]))

    def opened(self, name: str, *arguments: object) -> str:
        """Open a submission; return its password."""
        done = self.idr_upload("open", name, *arguments)
        assert done.returncode == 0, done.stderr.decode()
        passwords = [line for line in done.stdout.decode().splitlines() if line.startswith("password: ")]
        return passwords[0].removeprefix("password: ") if passwords else ""

    def answering(self, password: str) -> dict[str, str]:
        """Return the environment of an OpenSSH client that answers the question for a password."""
        askpass = self.folder / "askpass"
        askpass.write_text('#!/bin/sh\necho "$PASSWORD"\n')
        askpass.chmod(0o755)
        return {**os.environ, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD": password}

    def sftp(self, name: str, commands: str, password: str = "", key: Path | None = None) -> tuple[int, str]:
        """Return status and output of the real client for these commands; a leading dash continues after a failure."""
        options = [
            # The first value counts, and -b sets one.
            *("-o", "BatchMode=no", "-P", str(self.port), "-b", "-", *CLIENT_OPTIONS),
            *("-o", "LogLevel=ERROR", "-o", "NumberOfPasswordPrompts=1"),
            *(("-i", str(key), "-o", "PasswordAuthentication=no") if key else ("-o", "PubkeyAuthentication=no")),
        ]
        done = subprocess.run(
            ["sftp", *options, f"upload-{name}@127.0.0.1"],
            input=commands,
            env=self.answering(password),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        inside = ["env", "-i", f"PATH={PATH}", *command.split()]
        return subprocess.Popen([*self.machine.enter(), *inside], stderr=subprocess.DEVNULL)


def files(role: Role = Role.UPLOAD) -> dict[str, str]:
    """Return the files of a node with a role, as in the plan."""
    plan = stacks.plan_of("everything")
    node = plan.release(plan.settings.live).with_role(role)[0]
    bundle = json.loads(render.bundle(node, plan, stacks.secrets_of("everything"), {"upload": "0" * 36}))
    return {entry["path"]: entry["content"] for entry in bundle["files"]}


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Run a machine with its own processes too: accounts are ended by their number, which other accounts may have."""
    apart = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with subprocess.Popen([*apart, "bash", "-ec", REAPING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:
        assert held.stdout
        assert held.stdin
        assert held.stdout.readline() == b"ready\n"
        children = Path(f"/proc/{held.pid}/task/{held.pid}/children").read_text().split()
        try:
            yield Machine(int(children[0]), folder)
        finally:
            held.stdin.close()


def as_unit(name: str) -> str:
    """Return the command of a unit as systemd runs it: with only these capabilities, and none to gain."""
    unit = files()[f"/etc/systemd/system/{name}.service"]
    (allowed,) = re.findall("^CapabilityBoundingSet=(.+)$", unit, re.MULTILINE)
    bounds = ",".join(["-all", *(f"+{one.removeprefix('CAP_').lower()}" for one in allowed.split())])
    (command,) = re.findall("^ExecStart=(.+)$", unit, re.MULTILINE)
    return f"setpriv --bounding-set {bounds} --inh-caps -all --no-new-privs {command}"


def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait with long pauses, because most conditions start programs."""
    wait_until(condition, seconds, pause=0.3)


@contextmanager
def running(folder: Path) -> Iterator[Node]:
    """Run a node with its SFTP server; the folder has what a client needs."""
    with machine(folder) as running_machine:
        running_machine.output_of(PREPARED)
        bundle, port = files(), free_port()
        wanted = {path: text for path, text in bundle.items() if "upload" in path or "/lib/idr/common/" in path}
        config = "/etc/idr/upload/sshd_config"
        listen = [line for line in wanted[config].splitlines() if line.startswith("ListenAddress")]
        wanted[config] = wanted[config].replace(listen[0], f"ListenAddress 127.0.0.1:{port}")
        running_machine.write({path: text.encode() for path, text in wanted.items()})
        for step in STEPS:
            running_machine.output_of(f"/usr/local/lib/idr/upload/{step}")
        node = Node(running_machine, port, folder)
        server = node.start(as_unit("idr-upload"))
        try:
            wait(lambda: not running_machine.run(f"ssh-keyscan -p {port} 127.0.0.1 | grep -q ed25519").returncode)
            yield node
        finally:
            server.terminate()
            server.wait()
