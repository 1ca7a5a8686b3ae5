"""The addresses of nodes in a network, and those that Neutron may assign.

A node's fixed address is a function of the network and of the node's own role and number (`model.roles.node_address`):
adding or removing a node changes no other address.
"""

from ipaddress import IPv4Address, IPv4Network

FIRST_NODE_HOST = 10
# Neutron's DHCP and router ports take addresses from here; nodes' fixed addresses never do.
FIRST_SERVICE_HOST, LAST_SERVICE_HOST = 200, 250


def gateway(cidr: IPv4Network) -> IPv4Address:
    """Return the router's address: the subnet's first."""
    return cidr[1]


def service_pool(cidr: IPv4Network) -> tuple[IPv4Address, IPv4Address]:
    """Return the first and the last address that Neutron may assign."""
    return cidr[FIRST_SERVICE_HOST], cidr[LAST_SERVICE_HOST]
