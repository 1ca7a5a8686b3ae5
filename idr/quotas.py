"""The project's quotas, from what each service tells of them in its own words."""

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
"""By the words that messages use: names of limit and use in the answer to `limits`."""
NETWORK = {
    "networks": "network",
    "subnets": "subnet",
    "routers": "router",
    "ports": "port",
    "floating IPs": "floatingip",
    "security groups": "security_group",
    "security group rules": "security_group_rule",
}
"""By the words that messages use: Neutron's names."""


SOURCES = frozenset(
    {
        "quotas of compute",
        "quotas of the network",
        "limits of the network",
        "quotas of block storage",
        "limits of block storage",
        "default volume type",
    }
)
"""Answers that only serve to know quotas. Of two that tell the same one may be absent."""


def get(service: "Proxy", path: str, **query: str) -> dict[str, Any]:
    """An answer as it is: of an older cloud parts are missing, which openstacksdk's types do not show.

    Raises HttpException for an error.
    """
    from openstack.exceptions import raise_from_response

    answer = service.get(path, params=query)
    raise_from_response(answer)
    found: dict[str, Any] = answer.json()
    return found


def quotas(values: Mapping[str, Any], project: str) -> dict[str, Quota]:
    """The quotas that the answers in `values` tell."""
    return {
        **_of_limits(values.get("quotas of compute"), COMPUTE),
        **_of_network(values, project),
        **_of_limits(values.get("limits of block storage"), BLOCK_STORAGE),
        **_of_quota_set(values.get("quotas of block storage")),
    }


def untold(values: Mapping[str, Any], told: Mapping[str, Quota]) -> list[str]:
    """A line with the quotas that this cloud does not tell, if any."""
    wanted = [*COMPUTE, *NETWORK, *(BLOCK_STORAGE if "limits of block storage" in values else ())]
    absent = [name for name in wanted if name not in told]
    return [f"quotas of {', '.join(absent)}: not checked, because this cloud does not tell them"] if absent else []


def limit(told: Any) -> int | None:
    """The limit in an answer that has it as a number, or beside what is used of it."""
    found = told.get("limit") if isinstance(told, dict) else told
    return found if isinstance(found, int) else None


def _of_limits(told: Mapping[str, Any] | None, names: Mapping[str, tuple[str, str]]) -> dict[str, Quota]:
    told = told or {}
    found = {name: (told.get(most), told.get(used)) for name, (most, used) in names.items()}
    return {name: Quota(most, used) for name, (most, used) in found.items() if most is not None and used is not None}


def _of_quota_set(told: Mapping[str, Any] | None) -> dict[str, Quota]:
    found: dict[str, Quota] = {}
    for key, value in (told or {}).items():
        if not isinstance(value, dict) or limit(value) is None:
            continue
        what, _, kind = key.partition("_")
        general = {"volumes": "volumes", "gigabytes": "volume gigabytes"}
        name = f"{what} of type '{kind}'" if kind and what in general else general.get(key)
        if name:
            found[name] = Quota(value["limit"], (value.get("in_use") or 0) + (value.get("reserved") or 0))
    return found


def _of_network(values: Mapping[str, Any], project: str) -> dict[str, Quota]:
    detailed = values.get("quotas of the network") or {}
    plain = values.get("limits of the network") or {}
    used = _counted(values, project)
    found: dict[str, Quota] = {}
    for name, theirs in NETWORK.items():
        told = detailed.get(theirs)
        if isinstance(told, dict) and limit(told) is not None:
            found[name] = Quota(told["limit"], (told.get("used") or 0) + (told.get("reserved") or 0))
        elif (most := limit(plain.get(theirs))) is not None and name in used:
            found[name] = Quota(most, used[name])
    return found


def _counted(values: Mapping[str, Any], project: str) -> dict[str, int]:
    """What the project has, for a cloud that tells limits and not what is used of them."""
    listed = {name: values[name] for name in NETWORK if values.get(name) is not None}
    found = {name: sum(thing.project_id == project for thing in things) for name, things in listed.items()}
    if "security groups" in listed:
        groups = listed["security groups"]
        found["security group rules"] = sum(len(group.security_group_rules or ()) for group in groups)
    return found
