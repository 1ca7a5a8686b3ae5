"""Asks every node at once, through the bastion, and judges what it says."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from idr.ssh import arguments
from model.outputs.topology import NodeView, Topology
from model.outputs.view import View

PROBE = Path(__file__).with_name("probe.py")
CONNECT_SECONDS = 15
SECONDS = 180
# sshd on the bastion refuses some of more than 10 that are not logged in yet (MaxStartups).
AT_ONCE = 8
FULL_PERCENT = 90


class Version(StrEnum):
    """A node's configuration compared with what the settings and this checkout say."""

    CURRENT = "current"
    OTHER = "differs"
    NONE = "none"
    NOT_COMPARED = "not compared"


class Disk(View):
    """A mounted filesystem; sizes in bytes."""

    mount: str
    size: int
    free: int
    percent: int


class Applied(View):
    """What `idr-apply --status` says; empty where nothing was applied."""

    digest: str | None = None
    healthy: dict[str, bool] = Field(default_factory=dict)


class Answer(View):
    """What a node says of itself."""

    bootstrap: str
    applied: Applied
    disks: tuple[Disk, ...]
    versions: dict[str, str]
    uptime: float = Field(description="Seconds since it started")


class Status(View):
    """A node, and what is wrong with it."""

    node: str
    reachable: bool
    configuration: Version = Version.NOT_COMPARED
    answer: Answer | None = None
    problems: tuple[str, ...] = ()


def ask_all(made: Topology, config: Path, expected: Mapping[str, str], progress: Callable[[], None]) -> list[Status]:
    """The status of every node, in their order. `expected` has configurations' digests by node, where to compare."""

    def ask(node: NodeView) -> Status:
        found = _judged(node, _ask(node, config), expected.get(node.name))
        progress()
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, made.nodes))


def _ask(node: NodeView, config: Path) -> Answer | str:
    """What the node says, or why there is no answer."""
    command = arguments(config, node, ["sudo", "-n", "python3", "-"], CONNECT_SECONDS)
    try:
        done = subprocess.run(
            command, input=PROBE.read_text(), capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    if done.returncode:
        return next(iter(done.stderr.strip().splitlines()[-1:]), f"exit status {done.returncode}")
    try:
        return Answer.model_validate_json(done.stdout)
    except ValidationError:
        return f"an answer that is none: {json.dumps(done.stdout[:80])}"


def _judged(node: NodeView, answer: Answer | str, expected: str | None) -> Status:
    if isinstance(answer, str):
        return Status(node=node.name, reachable=False, problems=(f"not reachable: {answer}",))
    version = _version(answer.applied.digest, expected)
    return Status(
        node=node.name,
        reachable=True,
        configuration=version,
        answer=answer,
        problems=tuple(_problems(answer, version)),
    )


def _version(digest: str | None, expected: str | None) -> Version:
    if digest is None:
        return Version.NONE
    if expected is None:
        return Version.NOT_COMPARED
    return Version.CURRENT if digest == expected else Version.OTHER


def _problems(answer: Answer, version: Version) -> Iterator[str]:
    if answer.bootstrap != "done":
        yield f"bootstrap is '{answer.bootstrap}', not done"
    if version is Version.NONE:
        yield "no configuration was applied"
    elif version is Version.OTHER:
        yield "its configuration differs from what the settings and this checkout say; pulumi up applies it"
    for role, healthy in answer.applied.healthy.items():
        if not healthy:
            yield f"role {role} is not healthy"
    for disk in answer.disks:
        if disk.percent >= FULL_PERCENT:
            yield f"{disk.mount} is {disk.percent} % full"
