"""Look-ups in the cloud. The program waits for each, so values that many nodes need are looked up once."""

import os
import re
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import pulumi
from pulumi.runtime import get_config

# Import the functions directly. The SDK loads a package at its first use; while another thread does that,
# `images.get_image` can be the module of that name.
from pulumi_openstack.blockstorage import get_availability_zones_v3
from pulumi_openstack.images import get_image
from pulumi_openstack.networking import get_network, get_router, get_subnet

from idr.resources import UNKNOWN_ID
from model.messages import reason
from model.provider import has_credentials

T = TypeVar("T")
FRAMING = re.compile(r"^(?:invoke of \S+ failed: )?invocation of \S+ (?:failed|returned an error): (?:invoking \S+: )?")
"""The engine's prefix of the provider's message."""


def setting(name: str) -> str | None:
    """Return a setting of the stack below `openstack:`."""
    value: str | None = get_config(f"openstack:{name}")
    return value


def auth_url() -> str | None:
    """Return Keystone's address from the settings or the environment; None if clouds.yaml has it."""
    return setting("authUrl") or os.environ.get("OS_AUTH_URL")


def external_network_id(name: str) -> str:
    """Return the id of the external network, from which floating IPs come."""
    return _id("external network", name, lambda: get_network(name=name, external=True).id)


@cache
def network_id(name: str) -> str:
    """Return the id of a network."""
    return _id("network", name, lambda: get_network(name=name).id)


def subnet_id(network: str, cidr: str) -> str:
    """Return the id of the subnet with this CIDR in a network (by id)."""
    return _id("subnet", cidr, lambda: get_subnet(network_id=network, cidr=cidr).id)


def router_id(name: str) -> str:
    """Return the id of a router."""
    return _id("router", name, lambda: get_router(name=name).id)


@cache
def image_id(name: str) -> str:
    """Return the id of an image; the newest of that name."""
    return _id("image", name, lambda: get_image(name=name, most_recent=True).id)


def volume_zone(zone: str) -> str | None:
    """Return the zone of block storage with that name; None (the default) without one."""
    if _is_blind():
        pulumi.log.warn(f"no credentials for this cloud: previewing as if block storage had the zone '{zone}'")
        return zone
    return zone if zone in _volume_zones() else None


@cache
def _volume_zones() -> frozenset[str]:
    answer = _looked_up("zones of block storage", get_availability_zones_v3)
    return frozenset(answer.names or ())


def _is_blind() -> bool:
    """Return whether this is a preview without credentials."""
    return pulumi.runtime.is_dry_run() and not has_credentials(setting, os.environ)


def _id(kind: str, name: str, request: Callable[[], str]) -> str:
    """Return the id that the cloud reports; a placeholder in a preview without credentials."""
    if _is_blind():
        pulumi.log.warn(f"no credentials for this cloud: previewing without looking up the {kind} '{name}'")
        return f"{UNKNOWN_ID}{name})"
    return _looked_up(f"{kind} '{name}'", request)


def _looked_up(what: str, request: Callable[[], T]) -> T:
    try:
        return request()
    except Exception as error:  # noqa: BLE001  # the SDK raises nothing narrower for a call that the cloud refuses
        raise pulumi.RunError(f"cannot look up the {what}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return the provider's message without the engine's prefix."""
    return FRAMING.sub("", reason(error))
