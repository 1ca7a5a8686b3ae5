"""Look-ups in the cloud. The program waits for each of them, so it looks up once what many nodes need."""

import os
import re
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import pulumi
from pulumi.runtime import get_config

# Import the functions themselves. The SDK loads a package at its first use; while another thread does that,
# `images.get_image` can be the module of that name.
from pulumi_openstack.blockstorage import get_availability_zones_v3
from pulumi_openstack.images import get_image
from pulumi_openstack.networking import get_network, get_router, get_subnet

from idr.resources import UNKNOWN_ID
from model.messages import reason
from model.provider import has_credentials

T = TypeVar("T")
FRAMING = re.compile(r"^(?:invoke of \S+ failed: )?invocation of \S+ (?:failed|returned an error): (?:invoking \S+: )?")
"""What the engine puts before the provider's message."""


def setting(name: str) -> str | None:
    """A setting of the stack below `openstack:`."""
    value: str | None = get_config(f"openstack:{name}")
    return value


def auth_url() -> str | None:
    """Keystone's address as the settings or the environment have it; None where clouds.yaml does."""
    return setting("authUrl") or os.environ.get("OS_AUTH_URL")


def external_network_id(name: str) -> pulumi.Input[str]:
    """The id of the network that floating addresses come from."""
    return _id("external network", name, lambda: get_network(name=name, external=True).id)


@cache
def network_id(name: str) -> pulumi.Input[str]:
    """The id of a network of the cloud."""
    return _id("network", name, lambda: get_network(name=name).id)


def subnet_id(network: pulumi.Input[str], cidr: str) -> pulumi.Input[str]:
    """The id of the subnet of a network (by id) that has this CIDR."""
    return _id("subnet", cidr, lambda: get_subnet(network_id=str(network), cidr=cidr).id)


def router_id(name: str) -> pulumi.Input[str]:
    """The id of a router of the cloud."""
    return _id("router", name, lambda: get_router(name=name).id)


@cache
def image_id(name: str) -> pulumi.Input[str]:
    """The id of an image of the cloud; the newest of that name."""
    return _id("image", name, lambda: get_image(name=name, most_recent=True).id)


def volume_zone(zone: str) -> str | None:
    """The zone of block storage with that name; None, its default, where there is none."""
    if _is_blind():
        pulumi.log.warn(f"no credentials for this cloud: previewing as if block storage had the zone '{zone}'")
        return zone
    return zone if zone in _volume_zones() else None


@cache
def _volume_zones() -> frozenset[str]:
    answer = _asked("zones of block storage", get_availability_zones_v3)
    return frozenset(answer.names or ())


def _is_blind() -> bool:
    """Whether this is a preview by somebody without credentials."""
    return pulumi.runtime.is_dry_run() and not has_credentials(setting, os.environ)


def _id(kind: str, name: str, ask: Callable[[], str]) -> str:
    """The id that the cloud reports; a placeholder in a preview without credentials."""
    if _is_blind():
        pulumi.log.warn(f"no credentials for this cloud: previewing without looking up the {kind} '{name}'")
        return f"{UNKNOWN_ID}{name})"
    return _asked(f"{kind} '{name}'", ask)


def _asked(what: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001  # the SDK raises nothing narrower for a call that the cloud refuses
        raise pulumi.RunError(f"cannot look up the {what}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """The provider's message, without what the engine puts before it."""
    return FRAMING.sub("", reason(error))
