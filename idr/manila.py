"""Read the Manila shares of a project, if the plan declares shares; other stacks need no Manila."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from idr import quotas
from idr.cloud import SHARES, has_service
from model import shares
from model.cloud_state import CloudShare
from model.ownership import stack_of_metadata
from model.plan import Plan

if TYPE_CHECKING:
    from openstack.connection import Connection

HANDLES_SERVERS = "driver_handles_share_servers"


def questions(cloud: "Connection", plan: Plan) -> dict[str, Callable[[], Any]]:
    """Return the requests, by their names in messages; none if the plan has no shares or the catalogue no Manila."""
    if not shares.of(plan) or not has_service(cloud, SHARES):
        return {}
    manila: Any = cloud.shared_file_system
    return {
        "shares": lambda: list(manila.shares()),
        "share types": lambda: list(manila.share_types()),
        "default share type": lambda: quotas.get(manila, "/types/default")["share_type"]["name"],
        "limits of shares": lambda: quotas.get(manila, "/limits")["limits"]["absolute"],
    }


def types(listed: Iterable[Any] | None) -> dict[str, bool] | None:
    """Return for each share type whether its shares need a share network."""
    if listed is None:
        return None
    return {one.name: str((one.required_extra_specs or {}).get(HANDLES_SERVERS)).lower() == "true" for one in listed}


def share(listed: Any, stack: str) -> CloudShare:
    """Convert a share for the comparison with the plan."""
    return CloudShare(
        id=listed.id,
        name=listed.name or "",
        size_gib=listed.size or 0,
        is_own=stack_of_metadata(listed.metadata or {}) == stack,
        status=listed.status,
        # Since microversion 2.6 `share_type` is the type's id.
        type=listed.share_type_name or listed.share_type,
    )
