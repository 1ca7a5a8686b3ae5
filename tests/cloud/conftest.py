"""The local IDR as `make up` makes it, shared by all cloud tests; it is left running."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.stacks import ROOT

SSH_CONFIG = ROOT / ".local" / "ssh" / "config"
MINUTES_FOR_UP = 60


@dataclass(frozen=True)
class Service:
    """The running service: its outputs, and ways to look at it from outside and inside."""

    outputs: dict[str, Any]

    @property
    def nodes(self) -> list[str]:
        """Names of all nodes."""
        return list(self.outputs["inventory"]["_meta"]["hostvars"])

    def node(self, alias: str) -> str:
        """The full name of a node of the live release."""
        return next(name for name in self.nodes if name.endswith(f"-{alias}"))

    def address(self, endpoint: str) -> str:
        """The host part of an endpoint."""
        return str(self.outputs["endpoints"][endpoint]).rsplit(":", 1)[0]

    def on(self, node: str, command: str) -> str:
        """What a command prints on a node. The host key must be the one known beforehand."""
        done = self.try_on(node, command)
        assert done.returncode == 0, f"{node}: {command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def try_on(self, node: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a node; its exit status is the caller's to judge."""
        return subprocess.run(
            ["ssh", "-F", str(SSH_CONFIG), "-o", "BatchMode=yes", node, command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="session")
def service() -> Service:
    """The service that `make up` leads to."""
    subprocess.run([sys.executable, "-m", "dev.local", "up"], cwd=ROOT, check=True, timeout=MINUTES_FOR_UP * 60)
    command = ["pulumi", "stack", "output", "--stack", "local", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Service(json.loads(done.stdout))


@pytest.fixture
def visitor(service: Service) -> Iterator[httpx.Client]:
    """A browser-like visitor of the public address, over HTTP/2 and TLS that is verified."""
    context = ssl.create_default_context(cadata=service.outputs["certificateAuthority"])
    base = str(service.outputs["endpoints"]["web"])
    with httpx.Client(http2=True, verify=context, base_url=base, timeout=30, follow_redirects=True) as client:
        # The certificate is for the name, which no DNS here knows.
        client.event_hooks["request"] = [_ask_for_the_name]
        yield client


def _ask_for_the_name(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = "demo.idr.internal"
