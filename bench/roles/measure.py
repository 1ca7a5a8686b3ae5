"""Creates a stack with a node of each role in a separate project, and reads from logs how long each phase took."""

import tempfile
import time
from pathlib import Path
from typing import Any

from bench.roles import timeline
from harness import stacks
from harness.cloud import tenant
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from model.roles import FACTS, Role

PROJECT = "idr-roles"
RELEASE = "demo1"
FLAVOR = "local.small"
UP = ("up", "--stack", "local", "--yes", "--skip-preview", "--json")
# The configuration restarts sshd: the first time counts.
LISTENING = "sudo journalctl -q -o short-unix -t sshd --grep 'Server listening' | head -1 | cut -d' ' -f1"


class MeasureError(Exception):
    """The `up` to be measured failed, or a guest did not answer; the text is theirs."""


def shape() -> dict[str, Any]:
    """Return a release with one small node for each role; the bastion belongs to no release."""
    cidr = stacks.values("local")["releases"][RELEASE]["cidr"]
    nodes = {role.replace("-", ""): _node(role) for role in Role if role != Role.BASTION}
    return {RELEASE: {"cidr": cidr, "nodes": nodes}}


def _node(role: Role) -> dict[str, Any]:
    volume = FACTS[role].volume
    return {"roles": [role.value], "flavor": FLAVOR, "volumes": {volume.name: {"sizeGib": 1}} if volume else {}}


def measured() -> dict[str, dict[str, float]]:
    """Return seconds by role and phase. Raises MeasureError and TimelineError; always deletes what it created."""
    with tempfile.TemporaryDirectory(prefix="idr-bench-") as temporary:
        stack = tenant.make(Path(temporary), PROJECT)
        stack.configure(idr_releases=shape())
        try:
            start = time.time()
            done = stack.pulumi(*UP)
            if done.returncode:
                msg = f"pulumi up failed:\n{done.stdout}{done.stderr}"
                raise MeasureError(msg)
            return _read(stack, start, timeline.engine(done.stdout.splitlines()))
        finally:
            stack.take_down()


def _read(stack: Tenant, start: float, engine: dict[str, timeline.Engine]) -> dict[str, dict[str, float]]:
    """Combine the times in Nova and on the guests with those of the engine."""
    service, compute, servers = stack.service(), stack.cloud().compute, stack.servers()
    phases = {}
    for node in service.outputs["topology"]["nodes"]:
        name = node["name"]
        seconds = timeline.phases(
            start,
            engine[name],
            timeline.utc(compute.get_server(servers[f"idr-local-{name}"]).launched_at),
            float(_output(service, name, LISTENING)),
            timeline.bootstrapped(_output(service, name, "sudo cat /var/lib/cloud/data/status.json")),
            timeline.applied(_output(service, name, "sudo cat /var/log/idr-apply.log")),
        )
        phases[" ".join(node["roles"])] = dict(zip(timeline.PHASES, seconds, strict=True))
    return phases


def _output(service: Service, node: str, command: str) -> str:
    done = service.try_on(node, command)
    if done.returncode:
        msg = f"{node}: {command}: {done.stderr}"
        raise MeasureError(msg)
    return done.stdout
