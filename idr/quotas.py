"""The project's quotas, from the responses of each service."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from model.cloud_state import Quota

if TYPE_CHECKING:
    from openstack.proxy import Proxy

COMPUTE = {
    "instances": ("maxTotalInstances", "totalInstancesUsed"),
    "cores": ("maxTotalCores", "totalCoresUsed"),
    "ram (MiB)": ("maxTotalRAMSize", "totalRAMUsed"),
    "server groups": ("maxServerGroups", "totalServerGroupsUsed"),
}
BLOCK_STORAGE = {
    "volumes": ("maxTotalVolumes", "totalVolumesUsed"),
    "volume gigabytes": ("maxTotalVolumeGigabytes", "totalGigabytesUsed"),
}
SHARES = {
    "shares": ("maxTotalShares", "totalSharesUsed"),
    "share gigabytes": ("maxTotalShareGigabytes", "totalShareGigabytesUsed"),
}
"""For each name in messages, the names of limit and use in the response to `limits`."""
NETWORK = {
    "networks": "network",
    "subnets": "subnet",
    "routers": "router",
    "ports": "port",
    "floating IPs": "floatingip",
    "security groups": "security_group",
    "security group rules": "security_group_rule",
}
"""For each name in messages, Neutron's name."""


SOURCES = frozenset(
    {
        "quotas of compute",
        "quotas of the network",
        "limits of the network",
        "quotas of block storage",
        "limits of block storage",
        "default volume type",
        "limits of shares",
        "default share type",
    }
)
"""Responses used only for quotas. If two have the same quotas, one may be missing."""


def get(service: "Proxy", path: str, **query: str) -> dict[str, Any]:
    """Return a response without openstacksdk's types, which hide missing fields of older clouds.

    Raises HttpException for an error.
    """
    from openstack.exceptions import raise_from_response

    answer = service.get(path, params=query)
    raise_from_response(answer)
    body: dict[str, Any] = answer.json()
    return body


def quotas(values: Mapping[str, Any], project: str) -> dict[str, Quota]:
    """Return the quotas in the responses `values`."""
    return {
        **_of_limits(values.get("quotas of compute"), COMPUTE),
        **_of_network(values, project),
        **_of_limits(values.get("limits of block storage"), BLOCK_STORAGE),
        **_of_quota_set(values.get("quotas of block storage")),
        **_of_limits(values.get("limits of shares"), SHARES),
    }


def unchecked(values: Mapping[str, Any], known: Mapping[str, Quota]) -> list[str]:
    """Return a line with the quotas that this cloud does not report, if any."""
    optional = {"limits of block storage": BLOCK_STORAGE, "limits of shares": SHARES}
    expected = [*COMPUTE, *NETWORK]
    expected += (name for source, names in optional.items() if source in values for name in names)
    absent = [name for name in expected if name not in known]
    return [f"quotas of {', '.join(absent)}: not checked, because this cloud does not report them"] if absent else []


def limit(answer: Any) -> int | None:
    """Return the limit in a response, which is a number, or a mapping with limit and use."""
    number = answer.get("limit") if isinstance(answer, dict) else answer
    return number if isinstance(number, int) else None


def _of_limits(answer: Mapping[str, Any] | None, names: Mapping[str, tuple[str, str]]) -> dict[str, Quota]:
    answer = answer or {}
    pairs = {name: (answer.get(most), answer.get(used)) for name, (most, used) in names.items()}
    return {name: Quota(most, used) for name, (most, used) in pairs.items() if most is not None and used is not None}


def _of_quota_set(answer: Mapping[str, Any] | None) -> dict[str, Quota]:
    quotas: dict[str, Quota] = {}
    for key, value in (answer or {}).items():
        if not isinstance(value, dict) or limit(value) is None:
            continue
        what, _, kind = key.partition("_")
        general = {"volumes": "volumes", "gigabytes": "volume gigabytes"}
        name = f"{what} of type '{kind}'" if kind and what in general else general.get(key)
        if name:
            quotas[name] = Quota(value["limit"], (value.get("in_use") or 0) + (value.get("reserved") or 0))
    return quotas


def _of_network(values: Mapping[str, Any], project: str) -> dict[str, Quota]:
    detailed = values.get("quotas of the network") or {}
    plain = values.get("limits of the network") or {}
    used = _counted(values, project)
    quotas: dict[str, Quota] = {}
    for name, neutron_name in NETWORK.items():
        answer = detailed.get(neutron_name)
        if isinstance(answer, dict) and limit(answer) is not None:
            quotas[name] = Quota(answer["limit"], (answer.get("used") or 0) + (answer.get("reserved") or 0))
        elif (most := limit(plain.get(neutron_name))) is not None and name in used:
            quotas[name] = Quota(most, used[name])
    return quotas


def _counted(values: Mapping[str, Any], project: str) -> dict[str, int]:
    """Count the project's objects, for a cloud that reports limits without use."""
    listed = {name: values[name] for name in NETWORK if values.get(name) is not None}
    counts = {name: sum(thing.project_id == project for thing in things) for name, things in listed.items()}
    if "security groups" in listed:
        groups = listed["security groups"]
        counts["security group rules"] = sum(len(group.security_group_rules or ()) for group in groups)
    return counts
