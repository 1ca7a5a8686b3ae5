"""Look-ups in the cloud, one for each value that many nodes need. A preview does them after it declared everything."""

import asyncio
import os
import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

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

_postponed: "list[tuple[asyncio.Future[Any], Callable[[], Any]]]" = []
"""The look-ups that a preview does later, each with the future for its result."""


def setting(name: str) -> str | None:
    """Return a setting of the stack below `openstack:`."""
    value: str | None = get_config(f"openstack:{name}")
    return value


def auth_url() -> str | None:
    """Return Keystone's address from the settings or the environment; None if clouds.yaml has it."""
    return setting("authUrl") or os.environ.get("OS_AUTH_URL")


def external_network_id(name: str) -> pulumi.Input[str]:
    """Return the id of the external network, from which floating IPs come."""
    return _id("external network", name, lambda: get_network(name=name, external=True).id)


@cache
def network_id(name: str) -> pulumi.Input[str]:
    """Return the id of a network."""
    return _id("network", name, lambda: get_network(name=name).id)


def subnet_id(network: pulumi.Input[str], cidr: str) -> pulumi.Input[str]:
    """Return the id of the subnet with this CIDR in a network (by id)."""
    # The SDK takes an output too, and waits for it.
    return _id("subnet", cidr, lambda: get_subnet(network_id=cast(str, network), cidr=cidr).id)


def router_id(name: str) -> pulumi.Input[str]:
    """Return the id of a router."""
    return _id("router", name, lambda: get_router(name=name).id)


@cache
def image_id(name: str) -> pulumi.Input[str]:
    """Return the id of an image; the newest of that name."""
    return _id("image", name, lambda: get_image(name=name, most_recent=True).id)


def volume_zone(zone: str) -> pulumi.Input[str | None]:
    """Return the zone of block storage with that name; None (the default) without one."""
    if _is_blind():
        pulumi.log.warn(f"no credentials for this cloud: previewing as if block storage had the zone '{zone}'")
        return zone
    return pulumi.Output.from_input(_volume_zones()).apply(lambda zones: zone if zone in zones else None)


@cache
def _volume_zones() -> pulumi.Input[frozenset[str]]:
    return _result("zones of block storage", lambda: frozenset(get_availability_zones_v3().names or ()))


def _is_blind() -> bool:
    """Whether this is a preview without credentials."""
    return pulumi.runtime.is_dry_run() and not has_credentials(setting, os.environ)


def _id(kind: str, name: str, request: Callable[[], str]) -> pulumi.Input[str]:
    """Return the id that the cloud reports; a placeholder in a preview without credentials."""
    if _is_blind():
        pulumi.log.warn(f"no credentials for this cloud: previewing without looking up the {kind} '{name}'")
        return f"{UNKNOWN_ID}{name})"
    return _result(f"{kind} '{name}'", request)


def _result(what: str, request: Callable[[], T]) -> pulumi.Input[T]:
    """Return the result of a look-up; in a preview, an output that `look_up` resolves.

    An update looks it up at once: it must not start without the result.
    """
    if not pulumi.runtime.is_dry_run():
        return _looked_up(what, request)
    result: asyncio.Future[T] = asyncio.get_event_loop().create_future()
    _postponed.append((result, lambda: _looked_up(what, request)))
    return pulumi.Output.from_input(result)


def look_up() -> None:
    """Do the postponed look-ups of a preview. The engine compares the resources that need none meanwhile."""
    while _postponed:
        result, request = _postponed.pop(0)
        try:
            result.set_result(request())
        except pulumi.RunError as error:
            # The resources that need the result fail, and so does the preview.
            result.set_exception(error)


def _looked_up(what: str, request: Callable[[], T]) -> T:
    try:
        return request()
    except Exception as error:  # noqa: BLE001  # the SDK raises nothing narrower for a call that the cloud refuses
        raise pulumi.RunError(f"cannot look up the {what}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return the provider's message without the engine's prefix."""
    return FRAMING.sub("", reason(error))
