"""Stop a node's services before its volumes are detached and its server is deleted, if it can be reached.

The engine runs `python -m idr.stop` with an ssh route as JSON on standard input. Standard library only: it must work in
any checkout that has the program.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CONNECT_SECONDS = 60
"""The time-out for a connection. A dead server must not prevent its own replacement."""
STOP_SECONDS = 300
PAUSE_SECONDS = 3
NO_CONNECTION = 255
"""ssh's exit status if the connection failed or was lost; any other is the remote command's."""
COMMAND = "sudo /usr/local/sbin/idr-apply --stop"


def main() -> int:
    """Stop the node. The exit status is 0 also if it cannot be reached."""
    route = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="idr-stop-") as folder:
        return stop(str(route["host"]), configuration(route, Path(folder)))


def stop(host: str, config: Path, connect_seconds: float = CONNECT_SECONDS) -> int:
    """Run the stop on the host `node` of the ssh configuration `config`."""
    end = time.monotonic() + connect_seconds
    while True:
        try:
            done = _ssh(config, COMMAND, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{host}: the services did not stop within {STOP_SECONDS} s; its server is deleted all the same")
            return 0
        if done.returncode != NO_CONNECTION:
            break
        if time.monotonic() > end:
            reason = done.stderr.strip().splitlines()[-1:] or ["no answer"]
            print(f"{host} cannot be reached ({reason[0]}): its server is deleted without a stop of its services")
            return 0
        time.sleep(PAUSE_SECONDS)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        print(
            f"{host}: the services did not stop. To replace the machine all the same, switch its server off "
            "(`openstack server stop`), then run `pulumi up` again.",
            file=sys.stderr,
        )
    return done.returncode


def configuration(route: Mapping[str, Any], folder: Path) -> Path:
    """Write an ssh configuration for a route into `folder`: host `node`, and `jump` before it if there is one."""
    config = folder / "config"
    config.write_text("\n".join(_lines("node", route, folder)) + "\n")
    return config


def _lines(alias: str, hop: Mapping[str, Any], folder: Path) -> Iterator[str]:
    identity, known_hosts = folder / f"{alias}.key", folder / f"{alias}.known_hosts"
    identity.touch(0o600)
    identity.write_text(hop["key"])
    known_hosts.write_text("".join(f"{alias} {key}\n" for key in (hop["hostKey"], *hop.get("formerHostKeys", ()))))
    through = hop.get("through")
    yield f"Host {alias}"
    yield f"  HostName {hop['host']}"
    yield f"  User {hop['user']}"
    yield f"  HostKeyAlias {alias}"
    yield f"  UserKnownHostsFile {known_hosts}"
    yield f"  IdentityFile {identity}"
    for option in (
        "GlobalKnownHostsFile /dev/null",
        "StrictHostKeyChecking yes",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        "BatchMode yes",
        "ConnectTimeout 10",
        "ServerAliveInterval 10",
        "ServerAliveCountMax 3",
        *(("ProxyJump jump",) if through else ()),
    ):
        yield f"  {option}"
    if through:
        yield from _lines("jump", through, folder)


def _ssh(config: Path, command: str, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ssh", "-F", str(config), "node", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        # The server's output is not trusted: it can be anything, also before the login.
        errors="replace",
        check=False,
        timeout=seconds,
    )


if __name__ == "__main__":
    sys.exit(main())
