"""The roles a node can carry, and what follows from a role alone."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from model.role_description import COMMON, Distribution, RoleDescription, RoleError, RoleFacts, read_all


class Role(StrEnum):
    """What a node does. A node carries one role or several."""

    BASTION = "bastion"
    DATABASE = "database"
    REDIS = "redis"
    OMERO_READWRITE = "omero-readwrite"
    OMERO_READONLY = "omero-readonly"
    WEB = "web"
    PROXY = "proxy"
    MANAGEMENT = "management"


OMERO_ROLES = frozenset({Role.OMERO_READWRITE, Role.OMERO_READONLY})


def facts_of(descriptions: Mapping[str, RoleDescription]) -> dict[Role, RoleFacts]:
    """What is said of each `Role`, in the order of addresses. Raises RoleError where `Role` and descriptions differ."""
    facts = {role: about.node for role, about in descriptions.items() if about.node}
    wrong = [f"{_file(role)}: node: is required, because `Role` names this role" for role in Role if role not in facts]
    wrong += [f"{_file(role)}: node: `Role` in model/roles.py lacks this role" for role in facts.keys() - set(Role)]
    if wrong:
        raise RoleError("\n".join(sorted(wrong)))
    return {Role(role): facts[role] for role in sorted(facts, key=lambda role: facts[role].first_host)}


def _file(role: str) -> str:
    return f"cloudinit/{role}/role.yaml"


DESCRIPTIONS = read_all()
"""Every role by its name, also those that no stack file names."""

FACTS = facts_of(DESCRIPTIONS)


def applied_roles(roles: Iterable[Role], distribution: Distribution) -> tuple[str, ...]:
    """The roles that a node with `roles` is configured by, in the order in which they are applied."""
    found = [COMMON]
    for role in roles:
        found += FACTS[role].applies.get(distribution, (role.value,))
    return tuple(dict.fromkeys(found))


def node_address(cidr: IPv4Network, role: Role, number: int) -> IPv4Address:
    """The address of the `number`-th node (from 1) whose first role is `role`.

    Raises ValueError when the role's block has no room for that number.
    """
    facts = FACTS[role]
    host = facts.first_host + number - 1
    if host > facts.last_host:
        msg = f"role {role} has addresses for {facts.last_host - facts.first_host + 1}, not for {number} nodes"
        raise ValueError(msg)
    return cidr[host]
