"""Properties of objects that the engine does not compare with the cloud, because the program does not declare them.

The provider reads some of them, or none. So the project's list has them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from idr.state import Resource
from model.comparison import Kind

ALWAYS: Mapping[str, Any] = {
    "shared": False,
    "external": False,
    "portSecurityEnabled": True,
    "stateful": True,
    "routes": [],
    "hostRoutes": [],
}
"""What they are in every stack. Security groups need port security."""


def _of_network(network: Any) -> dict[str, Any]:
    return {
        "shared": network.is_shared,
        "external": network.is_router_external,
        "portSecurityEnabled": network.is_port_security_enabled,
    }


def _of_port(port: Any) -> dict[str, Any]:
    return {"allFixedIps": _of_version_4(one["ip_address"] for one in port.fixed_ips or ())}


READERS: Mapping[Kind, Callable[[Any], dict[str, Any]]] = {
    Kind.NETWORK: _of_network,
    Kind.SUBNET: lambda subnet: {"hostRoutes": subnet.host_routes},
    Kind.ROUTER: lambda router: {"routes": router.routes},
    Kind.PORT: _of_port,
    Kind.SECURITY_GROUP: lambda group: {"stateful": group.stateful},
    # None where it boots from a volume.
    Kind.SERVER: lambda server: {"imageId": (server.image or {}).get("id")},
    Kind.VOLUME: lambda volume: {"volumeType": volume.volume_type},
}


def of(kind: Kind, listed: Any) -> dict[str, Any]:
    """Return these properties of an object in the project's list, by the names that the state has."""
    return READERS[kind](listed) if kind in READERS else {}


def changed(resource: Resource, now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the properties that somebody changed. None is a value that this cloud does not have."""
    left = {**ALWAYS, **_left(resource)}
    return tuple(name for name, value in sorted(now.items()) if None not in (value, left[name]) and value != left[name])


def _left(resource: Resource) -> dict[str, Any]:
    inputs, outputs = resource.inputs, resource.outputs
    declared = [one["ipAddress"] for one in inputs.get("fixedIps") or ()]
    return {
        "allFixedIps": _of_version_4(declared or outputs.get("allFixedIps") or ()) or None,
        "volumeType": inputs.get("volumeType") or outputs.get("volumeType"),
        "imageId": outputs.get("imageId"),
    }


def _of_version_4(addresses: Iterable[str]) -> list[str]:
    """Leave out addresses of version 6: Neutron adds them by itself where somebody adds such a subnet."""
    return sorted(address for address in addresses if ":" not in address)
