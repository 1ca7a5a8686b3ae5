"""Who may reach which port of whom: one table, from which security groups and the readable matrix are made."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from model.roles import OMERO_ROLES, Role

WORLD: Final = "world"
EVERY_NODE: Final = "node"
"""Group that every node of a release is in; it carries what is allowed to all of them."""

OMERO_SSL_PORT = 4064
WEB_PORT = 4080

Source = Role | Literal["world"]
Target = Role | Literal["node"]


@dataclass(frozen=True)
class Flow:
    """TCP from any node of the role `source` (or from anywhere) to `port` of every node of the role `target`."""

    source: Source
    target: Target
    port: int
    why: str


FLOWS: tuple[Flow, ...] = (
    Flow(WORLD, Role.BASTION, 22, "operators come in here and nowhere else"),
    Flow(WORLD, Role.PROXY, 80, "redirected to https"),
    Flow(WORLD, Role.PROXY, 443, "web pages and JSON API"),
    Flow(WORLD, Role.PROXY, OMERO_SSL_PORT, "OMERO clients"),
    Flow(Role.BASTION, EVERY_NODE, 22, "operators' jump and configuration"),
    Flow(Role.MANAGEMENT, EVERY_NODE, 9100, "node metrics"),
    Flow(Role.PROXY, Role.WEB, WEB_PORT, "OMERO.web"),
    *(Flow(Role.PROXY, role, OMERO_SSL_PORT, "OMERO clients") for role in sorted(OMERO_ROLES)),
    *(Flow(Role.WEB, role, OMERO_SSL_PORT, "OMERO.web's server") for role in sorted(OMERO_ROLES)),
    *(Flow(role, Role.DATABASE, 5432, "OMERO's database") for role in sorted(OMERO_ROLES)),
    Flow(Role.WEB, Role.REDIS, 6379, "sessions and caches"),
)


@dataclass(frozen=True)
class Rule:
    """One ingress rule (TCP) of the security group `group`, from the group or CIDR `source`."""

    group: str
    port: int
    source_group: str | None
    source_cidr: str | None
    why: str


def group_name(scope: str, target: Target) -> str:
    """Security group of a role (or of every node) in a release; names are per release, never tenancy-global."""
    return f"{scope}-{target}"


def rules(scope: str, present: Iterable[Role], bastion_group: str) -> tuple[Rule, ...]:
    """The rules of one release (or of the bastion's own network) in which the roles `present` occur."""
    roles = frozenset(present)
    found: list[Rule] = []
    for flow in FLOWS:
        if flow.target != EVERY_NODE and flow.target not in roles:
            continue
        group = group_name(scope, flow.target)
        if flow.source == WORLD:
            found.append(Rule(group, flow.port, None, "0.0.0.0/0", flow.why))
        elif flow.source == Role.BASTION:
            found.append(Rule(group, flow.port, bastion_group, None, flow.why))
        elif flow.source in roles:
            found.append(Rule(group, flow.port, group_name(scope, flow.source), None, flow.why))
    return tuple(found)
