"""Measures how long both tools take to create, preview and enlarge the same infrastructure, in turns."""

import json
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.infra.terraform import Terraform
from bench.infra.translate import translate
from harness import stacks
from harness.cloud import tenant
from harness.cloud.tenant import Tenant

PROJECT = "idr-bench"
PARALLEL = "10"
"""Operations at once, for both: Terraform's default."""
QUOTA = {"instances": 500, "cores": 5000, "ram": 16 << 20}
UP = ("up", "--stack", "local", "--yes", "--skip-preview", "--parallel", PARALLEL)
APPLY = ("apply", "-auto-approve", "-input=false", "-no-color", f"-parallelism={PARALLEL}")
WITHOUT_REFRESH = "-refresh=false"
"""Without it Terraform asks the cloud for all objects; `pulumi up` and `preview` do that only with `--refresh`."""

Say = Callable[[str], None]


class MeasureError(Exception):
    """A run did not do what is measured; the message says what it did."""


@dataclass
class Times:
    """Seconds by operation and tool (`pulumi` or `terraform`)."""

    taken: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def of(self, what: str, tool: str) -> Iterator[None]:
        """Measure the time of a block."""
        start = time.perf_counter()
        yield
        self.taken[what, tool].append(time.perf_counter() - start)

    def figures(self, nodes: int) -> dict[str, float]:
        """Return medians, and Pulumi's as a multiple of Terraform's."""
        by_name: dict[str, float] = {}
        for what in dict.fromkeys(what for what, _ in self.taken):
            medians = {tool: statistics.median(self.taken[what, tool]) for tool in ("pulumi", "terraform")}
            for tool, seconds in medians.items():
                by_name[f"{nodes} nodes, {what}, {tool} (s)"] = seconds
            by_name[f"{nodes} nodes, {what}, pulumi / terraform"] = medians["pulumi"] / medians["terraform"]
        return by_name


def shape(nodes: int) -> dict[str, Any]:
    """Return the settings of `ebi` with so many nodes (with the bastion), on fake hosts, which start no guests."""
    given = stacks.values("ebi")
    groups = given["releases"]["prod130"]["nodes"]
    alone = 1 + sum(1 for group in groups.values() if "count" not in group)
    groups["omeroreadonly"]["count"] = nodes - alone
    for group in (*groups.values(), given["bastion"]):
        group["zone"] = "fake"
        for volume in group.get("volumes", {}).values():
            volume["sizeGib"] = 1
    return {
        **{f"idr_{key}": given[key] for key in ("flavors", "bastion", "releases", "live")},
        "idr_configure": False,
        "idr_protectData": False,
    }


def compare(nodes: int, runs: int, say: Say) -> dict[str, float]:
    """Return the figures of `runs` runs. Raises MeasureError and TerraformError; always deletes what it created."""
    times = Times()
    with tempfile.TemporaryDirectory(prefix="idr-bench-") as temporary:
        folder = Path(temporary)
        program, other = folder / "program", folder / "terraform"
        program.mkdir()
        other.mkdir()
        stack, terraform = tenant.make(program, PROJECT), Terraform(other)
        tenant.quota(PROJECT, **QUOTA)
        schema = terraform.schema()
        for number in range(1, runs + 1):
            try:
                configurations = _with_pulumi(stack, nodes, times, schema)
            finally:
                # An `up` that took too long was killed and left its lock.
                stack.pulumi("cancel", "--yes", "--stack", "local")
                _pulumi(stack, "destroy", "--stack", "local", "--yes", "--skip-preview", "--parallel", PARALLEL)
            try:
                _with_terraform(terraform, configurations, times)
            finally:
                terraform.run("destroy", *APPLY[1:])
            say(f"{nodes} nodes, run {number} of {runs} done")
    return times.figures(nodes)


def _with_pulumi(stack: Tenant, nodes: int, times: Times, schema: Any) -> list[dict[str, Any]]:
    """Measure Pulumi. Return the same infrastructure for Terraform: with `nodes` nodes, and with one more."""
    stack.configure(**shape(nodes))
    with times.of("create", "pulumi"):
        _pulumi(stack, *UP)
    configurations = [_translated(stack, schema)]
    with times.of("no-op preview", "pulumi"):
        _pulumi(stack, "preview", "--stack", "local", "--expect-no-changes", "--parallel", PARALLEL)
    with times.of("no-op preview with refresh", "pulumi"):
        _pulumi(stack, "preview", "--stack", "local", "--refresh", "--expect-no-changes", "--parallel", PARALLEL)
    stack.configure(**shape(nodes + 1))
    with times.of("add one node", "pulumi"):
        _pulumi(stack, *UP)
    return [*configurations, _translated(stack, schema)]


def _with_terraform(terraform: Terraform, configurations: list[dict[str, Any]], times: Times) -> None:
    first, second = configurations
    terraform.write(first)
    with times.of("create", "terraform"):
        terraform.run(*APPLY)
    plan = ("plan", "-input=false", "-no-color", "-detailed-exitcode", f"-parallelism={PARALLEL}")
    with times.of("no-op preview", "terraform"):
        terraform.run(*plan, WITHOUT_REFRESH)
    with times.of("no-op preview with refresh", "terraform"):
        terraform.run(*plan)
    terraform.write(second)
    with times.of("add one node", "terraform"):
        terraform.run(*APPLY, WITHOUT_REFRESH)


def _pulumi(stack: Tenant, *arguments: str) -> str:
    try:
        done = stack.pulumi(*arguments)
    except subprocess.TimeoutExpired as error:
        msg = f"pulumi {arguments[0]} did not end within {error.timeout:.0f} s"
        raise MeasureError(msg) from None
    if done.returncode:
        msg = f"pulumi {arguments[0]} failed:\n{done.stdout}{done.stderr}"
        raise MeasureError(msg)
    return done.stdout


def _translated(stack: Tenant, schema: Any) -> dict[str, Any]:
    state = json.loads(_pulumi(stack, "stack", "export", "--stack", "local", "--show-secrets"))
    auth = stack.auth
    login = {
        "auth_url": auth["auth_url"],
        "user_name": auth["username"],
        "password": auth["password"],
        "tenant_name": auth["project_name"],
        "user_domain_id": auth["user_domain_id"],
        "project_domain_id": auth["project_domain_id"],
    }
    return translate(state, schema, login)
