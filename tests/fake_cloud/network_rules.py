"""Requests that Neutron refuses, and its messages."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network

from tests.fake_cloud.http import Answer, failure
from tests.fake_cloud.store import Store, Thing

ROUTER_PORT = "network:router_interface"
SAME_RULE = (
    "security_group_id",
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_group_id",
    "remote_ip_prefix",
)
"""The fields in which two rules must differ."""


def creation(store: Store, kind: str, given: Thing) -> Answer | None:
    """Return why an object cannot be created; None if it can."""
    refuse = {"subnets": _subnet, "ports": _port, "security-group-rules": _rule}.get(kind)
    return refuse(store, given) if refuse else None


def deletion(store: Store, kind: str, thing: Thing) -> Answer | None:
    """Return why an object cannot be deleted; None if it can."""
    used: dict[str, Callable[[Store, Thing], Iterator[Thing]]] = {
        "networks": lambda store, one: iter(store.all("ports", network_id=one["id"])),
        "subnets": lambda store, one: _in_subnet(store, one["id"]),
        "routers": lambda store, one: iter(store.all("ports", device_id=one["id"])),
        "security-groups": _with_group,
    }
    if kind == "ports" and thing["device_owner"] == ROUTER_PORT:
        return failure(409, f"Port {thing['id']} cannot be deleted directly via the port API: has device owner")
    if kind in used and next(used[kind](store, thing), None):
        return failure(409, f"Unable to complete operation on {kind} {thing['id']}. It is still in use.")
    return None


def interface(store: Store, subnet: Thing) -> Answer | None:
    """Return why a router gets no port in a subnet; None if it gets one."""
    if router_port(store, subnet):
        return failure(400, f"Bad router request: Router already has a port on subnet {subnet['id']}.")
    return None


def interface_removal(store: Store, router: Thing, subnet: Thing) -> Answer | None:
    """Return why a router's port in a subnet cannot be removed; None if it can."""
    port = router_port(store, subnet)
    if port is None or port["device_id"] != router["id"]:
        return failure(404, f"Router {router['id']} has no interface on subnet {subnet['id']}")
    inside = {one["id"] for one in _in_subnet(store, subnet["id"])}
    if any(one["port_id"] in inside for one in store.all("floatingips")):
        return failure(409, f"Router interface for subnet {subnet['id']} cannot be deleted: required by floating IPs.")
    return None


def association(store: Store, address: Thing, port_id: str) -> Answer | None:
    """Return why a floating address cannot lead to a port; None if it can."""
    port = store.get("ports", port_id)
    if port is None:
        return failure(404, f"Port {port_id} could not be found.")
    if any(one["port_id"] == port_id and one is not address for one in store.all("floatingips")):
        return failure(409, f"Cannot associate floating IP {address['floating_ip_address']} with port {port_id}")
    if router_of(store, port) is None:
        return failure(404, "External network is not reachable from subnet. Cannot associate Port with a Floating IP.")
    return None


def router_of(store: Store, port: Thing) -> Thing | None:
    """Return the router between a port and the external network."""
    for fixed in port["fixed_ips"]:
        subnet = store.get("subnets", fixed["subnet_id"])
        gate = router_port(store, subnet) if subnet else None
        router = store.get("routers", gate["device_id"]) if gate else None
        if router and router["external_gateway_info"]:
            return router
    return None


def router_port(store: Store, subnet: Thing) -> Thing | None:
    """Return the router's port in a subnet."""
    return next((one for one in _in_subnet(store, subnet["id"]) if one["device_owner"] == ROUTER_PORT), None)


def _in_subnet(store: Store, subnet_id: str) -> Iterator[Thing]:
    for port in store.all("ports"):
        if any(fixed["subnet_id"] == subnet_id for fixed in port["fixed_ips"]):
            yield port


def _with_group(store: Store, group: Thing) -> Iterator[Thing]:
    return (port for port in store.all("ports") if group["id"] in port.get("security_groups", ()))


def _subnet(store: Store, given: Thing) -> Answer | None:
    wanted = IPv4Network(given["cidr"])
    for subnet in store.all("subnets", network_id=given["network_id"]):
        if wanted.overlaps(IPv4Network(subnet["cidr"])):
            return failure(400, f"Invalid input for operation: cidr {wanted} overlaps with another subnet.")
    return None


def _port(store: Store, given: Thing) -> Answer | None:
    for fixed in given.get("fixed_ips") or ():
        taken = {one["ip_address"] for port in _in_subnet(store, fixed["subnet_id"]) for one in port["fixed_ips"]}
        if fixed.get("ip_address") in taken:
            return failure(409, f"IP address {fixed['ip_address']} already allocated in subnet {fixed['subnet_id']}")
    return None


def _rule(store: Store, given: Thing) -> Answer | None:
    if store.get("security-groups", given["security_group_id"]) is None:
        return failure(404, f"Security group {given['security_group_id']} does not exist")
    same = {name: given.get(name) for name in SAME_RULE}
    if existing := store.all("security-group-rules", **same):
        return failure(409, f"Security group rule already exists. Rule id is {existing[0]['id']}.")
    return None
