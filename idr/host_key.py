"""Install the ssh host key that is derived from a new stack secret on a node.

The engine runs `python -m idr.host_key` with the route to the node and the key as JSON on standard input. The route has
the former host keys too, so the node can be reached with its new or its former key.
"""

import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from idr.stop import NO_CONNECTION, PAUSE_SECONDS, configuration

CONNECT_SECONDS = 600
"""The time-out for connecting to a node, which may be in its first boot."""
STEP_SECONDS = 60
# The public key first: sshd reads both for each connection, and uses the private one if they differ. Open
# connections stay open.
SCRIPT = """
umask 077
folder=$(mktemp -d /etc/ssh/idr.XXXXXX)
trap 'rm -r "$folder"' EXIT
cat > "$folder/key"
ssh-keygen -y -f "$folder/key" > "$folder/key.pub"
cmp -s "$folder/key" /etc/ssh/ssh_host_ed25519_key && exit 0
chmod 644 "$folder/key.pub"
mv "$folder/key.pub" /etc/ssh/ssh_host_ed25519_key.pub
mv "$folder/key" /etc/ssh/ssh_host_ed25519_key
systemctl reload ssh
"""
COMMAND = f"sudo /bin/sh -ec {shlex.quote(SCRIPT)}"


def main() -> int:
    """Install the key. The exit status is 0 if the node has it."""
    request = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="idr-host-key-") as folder:
        return install(str(request["route"]["host"]), configuration(request["route"], Path(folder)), request["hostKey"])


def install(host: str, config: Path, host_key: str, connect_seconds: float = CONNECT_SECONDS) -> int:
    """Install the private key on the host `node` of the ssh configuration `config`."""
    end = time.monotonic() + connect_seconds
    while (done := _ssh(config, host_key)).returncode == NO_CONNECTION and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        print(f"{host} did not get its new ssh host key: {reason[0]}. Run `pulumi up` again.", file=sys.stderr)
    return done.returncode


def _ssh(config: Path, text_input: str) -> subprocess.CompletedProcess[str]:
    command = ["ssh", "-F", str(config), "node", COMMAND]
    try:
        return subprocess.run(
            command,
            input=text_input,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=STEP_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, NO_CONNECTION, "", f"no end after {STEP_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
