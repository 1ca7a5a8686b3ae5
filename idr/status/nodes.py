"""Queries every node at once, through the bastion, and finds problems in the results."""

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from idr.remote import arguments, failure
from model.comparison import ACTIVE
from model.outputs.topology import NodeView, Topology
from model.outputs.view import View
from model.roles import FACTS

PROBE = Path(__file__).with_name("probe.py")
SECONDS = 11
"""The time-out of one node, including the connection. Up to 30 are queried at once, so that all end in 15 s."""
AT_ONCE = 30
"""The most concurrent logins that the bastion's sshd accepts (MaxStartups in 20-idr-bastion.conf)."""
FULL_PERCENT = 90


class Version(StrEnum):
    """A node's configuration compared with the settings and this checkout."""

    CURRENT = "current"
    OTHER = "differs"
    NONE = "none"
    NOT_COMPARED = "not compared"
    UNKNOWN = "unknown"
    FOREIGN = "another tool's"


EXPLAINED = {
    Version.UNKNOWN: "idr-apply --status gives no result",
    Version.NONE: "no configuration was applied",
    Version.OTHER: "its configuration differs from what the settings and this checkout say; pulumi up applies it",
}


class Disk(View):
    """A mounted filesystem; sizes in bytes."""

    mount: str
    size: int
    free: int
    percent: int


class Applied(View):
    """The output of `idr-apply --status`. `slow` are roles whose health test did not end in time."""

    digest: str | None = None
    healthy: dict[str, bool] = Field(default_factory=dict)
    slow: tuple[str, ...] = ()


class Patches(View):
    """What still runs in the version before an upgrade."""

    reboot: bool = Field(description="Whether only a reboot brings the new kernel")
    services: tuple[str, ...] = Field(description="Services to restart, to run with the new libraries")


class Answer(View):
    """The answer of a node."""

    bootstrap: str
    applied: Applied | None = Field(description="None: `idr-apply --status` gave no answer in time")
    disks: tuple[Disk, ...]
    patches: Patches | None = Field(None, description="None: the node does not report it")
    versions: dict[str, str]


class Status(View):
    """A node with its problems."""

    node: str
    reachable: bool
    server: str | None = Field(None, description="Nova's state of the server; null where it was not asked")
    configuration: Version = Version.NOT_COMPARED
    answer: Answer | None = None
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = Field((), description="What an operator should do at a time of their choice")


def ask_all(topology: Topology, config: Path, progress: Callable[[], None]) -> dict[str, Answer | str]:
    """Return the answer of every node, or the reason without one, by name, in the order of the nodes."""

    def ask(node: NodeView) -> Answer | str:
        answer = _ask(node, config)
        progress()
        return answer

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip((node.name for node in topology.nodes), pool.map(ask, topology.nodes), strict=True))
    bastion = topology.bastion.name
    if isinstance(answers[bastion], str):
        # Every connection goes through the bastion: without it the results of others mean nothing.
        answers |= {name: "no connection through the bastion" for name in answers if name != bastion}
    return answers


def _ask(node: NodeView, config: Path) -> Answer | str:
    """Return the answer of the node, or the reason without one."""
    packages = [shlex.quote(one) for role, facts in FACTS.items() if role in node.roles for one in facts.versions]
    command = arguments(config, node, ["sudo", "-n", "python3", "-", *packages], SECONDS)
    try:
        done = subprocess.run(
            command,
            input=PROBE.read_text(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    if done.returncode:
        return failure(done.stderr, done.returncode)
    try:
        return Answer.model_validate_json(done.stdout)
    except ValidationError:
        return f"invalid answer: {json.dumps(done.stdout[:80])}"


def judged(
    answers: Mapping[str, Answer | str], expected: Mapping[str, str], servers: Mapping[str, str], *, configured: bool
) -> list[Status]:
    """Return the status of each node.

    `expected` has the digests of configurations by node, to compare; `servers` has Nova's states, if it was queried. If
    `pulumi up` does not configure the nodes (`configured`), configuration and roles are not checked.
    """
    statuses = []
    for name, answer in answers.items():
        server = servers.get(name)
        off = (f"its server is {server} in Nova",) if server not in (None, ACTIVE) else ()
        if isinstance(answer, str):
            problems = (*off, f"not reachable: {answer}")
            statuses.append(Status(node=name, reachable=False, server=server, problems=problems))
            continue
        version = _version(answer.applied, expected.get(name)) if configured else Version.FOREIGN
        problems = (*off, *_problems(answer, version))
        notices = tuple(_notices(answer.patches))
        statuses.append(
            Status(
                node=name,
                reachable=True,
                server=server,
                configuration=version,
                answer=answer,
                problems=problems,
                notices=notices,
            )
        )
    return statuses


def _version(applied: Applied | None, expected: str | None) -> Version:
    if applied is None:
        return Version.UNKNOWN
    if applied.digest is None:
        return Version.NONE
    if expected is None:
        return Version.NOT_COMPARED
    return Version.CURRENT if applied.digest == expected else Version.OTHER


def _problems(answer: Answer, version: Version) -> Iterator[str]:
    if answer.bootstrap != "done":
        yield f"bootstrap is '{answer.bootstrap}', not done"
    if version in EXPLAINED:
        yield EXPLAINED[version]
    yield from _role_problems(answer.applied or Applied())
    for disk in answer.disks:
        if disk.percent >= FULL_PERCENT:
            yield f"{disk.mount} is {disk.percent} % full"


def _notices(patches: Patches | None) -> Iterator[str]:
    if patches and patches.reboot:
        yield "reboot required"
    if patches and patches.services:
        yield f"services to restart after an upgrade: {', '.join(patches.services)}"


def _role_problems(applied: Applied) -> Iterator[str]:
    for role, healthy in applied.healthy.items():
        if not healthy:
            yield f"role {role} is not healthy"
    for role in applied.slow:
        yield f"role {role} is slow: its health test did not end in time"
