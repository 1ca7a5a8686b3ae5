"""Fixed addresses: a function of the release's CIDR and the node's own role and number, of nothing else.

No node's address depends on which other nodes exist, so adding or removing one moves nobody.
"""

from ipaddress import IPv4Address, IPv4Network

from model.roles import FACTS, Role

# Neutron's DHCP and router ports take addresses from here; nodes' fixed addresses never do.
FIRST_SERVICE_HOST, LAST_SERVICE_HOST = 200, 250


def gateway(cidr: IPv4Network) -> IPv4Address:
    """The router's address: the subnet's first."""
    return cidr[1]


def service_pool(cidr: IPv4Network) -> tuple[IPv4Address, IPv4Address]:
    """The range that Neutron may hand out by itself, as (first, last)."""
    return cidr[FIRST_SERVICE_HOST], cidr[LAST_SERVICE_HOST]


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
