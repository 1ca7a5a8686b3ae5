"""A running service: its outputs, and access to it as a visitor and by ssh."""

import json
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from harness.clients.environment import Client
from harness.stacks import ROOT

NAME = "demo.idr.internal"
"""The service's name, which is not in DNS."""
REDIS = (
    "sudo sh -c '. /etc/idr/redis.env; export REDISCLI_AUTH=$OPERATOR_AUTH; "
    "/usr/local/lib/idr/redis/cli --user operator {}'"
)
"""A redis-cli command on a Redis node, as Redis' operator."""
SSH_CONFIG = ROOT / ".local" / "ssh" / "config"


@dataclass(frozen=True)
class Service:
    """A deployed stack, and an ssh configuration for its machines."""

    outputs: dict[str, Any]
    ssh_config: Path

    @property
    def nodes(self) -> list[str]:
        """Names of all nodes."""
        return list(self.outputs["inventory"]["_meta"]["hostvars"])

    def node(self, alias: str) -> str:
        """Return the full name of a node of the live release."""
        return next(name for name in self.nodes if name.endswith(f"-{alias}"))

    def address(self, endpoint: str) -> str:
        """Return the host of an endpoint."""
        return str(self.outputs["endpoints"][endpoint]).rsplit(":", 1)[0]

    def on(self, node: str, command: str, text_input: str = "") -> str:
        """Run a command on a node and return its output. The host key must be the one in the outputs."""
        done = self.try_on(node, command, text_input)
        assert done.returncode == 0, f"{node}: {command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def try_on(self, node: str, command: str, text_input: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command on a node; the caller checks its exit status."""
        return subprocess.run(
            ["ssh", "-F", str(self.ssh_config), "-o", "BatchMode=yes", node, command],
            input=text_input,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def trust(self) -> ssl.SSLContext:
        """Return a TLS context that trusts only the stack's own authority."""
        return ssl.create_default_context(cadata=self.outputs["certificateAuthority"])

    def browser(
        self, context: ssl.SSLContext | None = None, timeout: float = 30, *, http2: bool = True
    ) -> httpx.Client:
        """Return an HTTP client for the public address, which verifies TLS."""
        base = str(self.outputs["endpoints"]["web"])
        verify = context or self.trust()
        client = httpx.Client(http2=http2, verify=verify, base_url=base, timeout=timeout, follow_redirects=True)
        # The certificate is for the name.
        client.event_hooks["request"] = [_ask_for_the_name]
        return client

    def client(self, folder: Path, name: str = NAME) -> Client:
        """Return a user's machine with OMERO clients, which resolves this name to the public address."""
        return Client(folder, name, self.address("omero"), self.outputs["certificateAuthority"])


def local() -> Service:
    """Return the stack `local` of this checkout. Raises CalledProcessError when there is none."""
    command = ["pulumi", "stack", "output", "--stack", "local", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Service(json.loads(done.stdout), SSH_CONFIG)


def _ask_for_the_name(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = NAME
