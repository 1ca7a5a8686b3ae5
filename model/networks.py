"""Check that the cloud has the networks, routers and addresses of a plan, and that they can be used."""

from collections.abc import Collection, Iterator, Sequence
from ipaddress import ip_address

from model.cloud_state import CloudNetwork, CloudState, Port, Router
from model.plan import Node, Plan, Scope
from model.planning import PLACEHOLDER
from model.raw_storage import StorageNetwork
from model.wording import is_missing, several


def _one(kind: str, name: str, things: Sequence[CloudNetwork | Router]) -> Iterator[str]:
    matching = [thing for thing in things if thing.name == name]
    if not matching:
        yield is_missing(kind, name, (thing.name for thing in things))
    elif len(matching) > 1:
        yield several(kind, name, len(matching))


def external_network(plan: Plan, state: CloudState) -> Iterator[str]:
    """Check the external network, from which floating IPs come."""
    if state.networks is not None and plan.external_network != PLACEHOLDER:
        external = [network for network in state.networks if network.external]
        yield from _one("external network", plan.external_network, external)


def router(plan: Plan, state: CloudState) -> Iterator[str]:
    """Check that the router leads to the external network."""
    if state.routers is None or not plan.settings.router:
        return
    if any(known.is_own for known in state.routers) and any(known.is_own for known in state.ports or ()):
        yield (
            f"router '{plan.settings.router}' cannot take the place of the stack's own, to which addresses lead: "
            "remove idr:router"
        )
    yield from _one("router", plan.settings.router, state.routers)
    matching = [router.external for router in state.routers if router.name == plan.settings.router]
    outside = {network.id for network in state.networks or () if network.name == plan.settings.external_network}
    if len(matching) != 1 or not outside or matching[0] in {*outside, ""}:
        return
    where = "has no external gateway" if matching[0] is None else "leads to another network outside"
    yield (
        f"router '{plan.settings.router}' {where}: floating IPs of '{plan.settings.external_network}' do not "
        "reach what is behind it; give it that gateway (openstack router set --external-gateway), or name another"
    )


def kept_router(plan: Plan, state: CloudState) -> Iterator[str]:
    """Yield a router of the cloud that the stack's networks are on, where the plan has another."""
    ports = state.ports or ()
    led_to = {address.port for address in state.floating_ips or ()}
    if not any(port.is_own and port.id in led_to for port in ports):
        return
    own = {network.id for network in state.networks or () if network.is_own}
    on = {port.router for port in ports if port.network in own}
    for known in state.routers or ():
        if known.id in on and not known.is_own and known.name != plan.settings.router:
            yield (
                f"the stack's networks are on router '{known.name}', and nothing moves them while addresses lead "
                f"through it: set idr:router to '{known.name}' again"
            )


def existing_networks(plan: Plan, state: CloudState) -> Iterator[str]:
    """Check existing networks that have nodes."""
    for scope in plan.scopes:
        name = scope.subnet.existing
        if state.networks is None or not name:
            continue
        problems = list(_one("network", name, state.networks))
        yield from problems
        if problems:
            continue
        network = _network(name, state)
        if str(scope.subnet.cidr) not in {subnet.cidr for subnet in network.subnets}:
            available = ", ".join(sorted(subnet.cidr for subnet in network.subnets)) or "none"
            yield f"network '{name}' has no subnet {scope.subnet.cidr} (available: {available})"
        if network.port_security is False:
            yield (
                f"network '{name}' has its port security off: security groups, which protect the nodes of "
                f"{scope.name}, do not work there; use another network"
            )


def _network(name: str, state: CloudState) -> CloudNetwork:
    return next(network for network in state.networks or () if network.name == name)


def _storage_settings(plan: Plan) -> StorageNetwork | None:
    return next((node.storage_network for node in plan.nodes if node.storage_network), None)


def _storage(plan: Plan, state: CloudState) -> CloudNetwork | None:
    """Return the storage network, if exactly one network has its name."""
    settings = _storage_settings(plan)
    matching = [network for network in state.networks or () if settings and network.name == settings.name]
    return matching[0] if len(matching) == 1 else None


def storage_network(plan: Plan, state: CloudState, new: Sequence[Node]) -> Iterator[str]:
    """Check the network of the storage servers."""
    settings = _storage_settings(plan)
    if settings is None or state.networks is None:
        return
    yield from _one("network", settings.name, state.networks)
    network = _storage(plan, state)
    if network is None:
        return
    if network.port_security is False and settings.port_security:
        yield (
            f"storage network '{settings.name}' has its port security off, so that its ports take no security groups: "
            "set storageNetwork.portSecurity to false (each node's own firewall still holds there)"
        )
    if network.port_security and not settings.port_security:
        yield (
            f"storage network '{settings.name}' has port security: a port without security groups reaches nothing "
            "there; remove storageNetwork.portSecurity"
        )
    if any(node.storage_network for node in new):
        yield from _gateways(network)


def _gateways(network: CloudNetwork) -> Iterator[str]:
    for subnet in network.subnets:
        if subnet.gateway:
            yield (
                f"storage network '{network.name}': its subnet {subnet.cidr} has the gateway {subnet.gateway}, a "
                "second default route for OMERO nodes; have it removed (openstack subnet set --gateway none), with a "
                "host route to storage servers behind it"
            )


def old_gateways(plan: Plan, state: CloudState, new: Sequence[Node]) -> Iterator[str]:
    """Yield a second default route of existing nodes."""
    network = _storage(plan, state)
    if network and not any(node.storage_network for node in new):
        yield from _gateways(network)


def addresses(plan: Plan, state: CloudState, new: Sequence[Node], stay: Sequence[Node]) -> Iterator[str]:
    """Yield fixed addresses that another port has, and existing nodes whose address would change."""
    for scope in plan.scopes:
        inside = _networks_of(scope, plan, state)
        ports = [port for port in state.ports or () if port.network in inside]
        for node in (node for node in new if node.scope == scope.name):
            yield from _taken_by_other_port(node, plan, ports)
        yield from _moved(scope, plan, state, inside, stay)
    yield from _stays_on_storage(plan, state, stay)


def _networks_of(scope: Scope, plan: Plan, state: CloudState) -> frozenset[str]:
    """Return the ids of a scope's network, if it exists. Found by name, in case somebody removed its labels."""
    name = scope.subnet.existing or plan.cloud_name(scope.name)
    return frozenset(network.id for network in state.networks or () if network.name == name)


def _taken_by_other_port(node: Node, plan: Plan, ports: Sequence[Port]) -> Iterator[str]:
    for port in ports:
        if str(node.address) not in port.addresses or port.name == plan.cloud_name(node.name):
            continue
        if port.is_own:
            yield (
                f"address {node.address} of {node.name} is still that of '{port.name}', which Neutron does not give "
                "twice: keep that node's name (a group that gets a `count` renames its node), or remove it in an "
                "update of its own before"
            )
        else:
            yield f"address {node.address} of {node.name} is taken by port {port.id}"


def _moved(scope: Scope, plan: Plan, state: CloudState, inside: Collection[str], stay: Sequence[Node]) -> Iterator[str]:
    """Yield nodes whose port would get another address: the server would keep the old one."""
    if state.networks is None or (scope.subnet.existing and not inside):
        return
    ports = {port.name: port for port in state.ports or () if port.is_own and port.addresses}
    existing = [(node, ports[name]) for node in scope.nodes if (name := plan.cloud_name(node.name)) in ports]
    # A port also has an address of each IPv6 subnet with automatic configuration.
    if any(
        port.network not in inside or not any(ip_address(one) in scope.subnet.cidr for one in port.addresses)
        for _, port in existing
    ):
        yield (
            f"the nodes of {scope.name} are not in the network that its cidr {scope.subnet.cidr} or existingNetwork "
            "names, and nothing moves a network with nodes: set it back, or make another release with the new one"
        )
        return
    for node, port in existing:
        if str(node.address) not in port.addresses and node in stay:
            yield (
                f"{node.name} has the address {', '.join(port.addresses)}, its first role would give it "
                f"{node.address}: keep the order of its roles (if somebody changed the port, put its address back), or "
                "give it another `rebuild` number in the same update"
            )


def _stays_on_storage(plan: Plan, state: CloudState, stay: Sequence[Node]) -> Iterator[str]:
    """Yield nodes whose servers would all be replaced at once for another storage network."""
    network = _storage(plan, state)
    ports = {port.name: port for port in state.ports or () if port.is_own}
    for node in stay:
        port = ports.get(plan.cloud_name(f"{node.name}-storage"))
        if network and node.storage_network and port and port.network != network.id:
            yield (
                f"{node.name} is in another network than the storage network '{network.name}': its server must be "
                "replaced for that; give it another `rebuild` number in the same update"
            )
