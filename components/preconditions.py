"""Checks before an `up` changes anything. A preview sends no requests: a reviewer may have no credentials."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi

from components.cloud import setting
from idr import agreement, cloud_state, gixy, state
from idr.agreement import Agreement
from idr.cloud import CloudError, asking, connect
from idr.errors import IdrError
from idr.state import Resource, State
from model.cloud_report import report
from model.plan import Plan
from model.replacement import DeployedServer
from model.secrets import Secrets, are_of

if TYPE_CHECKING:
    from openstack.connection import Connection

DELETED = ("DELETED", "SOFT_DELETED")
"""Nova's states of a deleted server that is still in its database."""


class ListError(IdrError):
    """The cloud's lists are incomplete."""


@dataclass(frozen=True)
class Live:
    """The deployed stack: its servers by their names in the plan, and the outputs of its last update.

    `cloud` is the connection to the cloud, with one login for all requests of the program itself.
    """

    cloud: "Connection"
    servers: Mapping[str, DeployedServer] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


def require_agreement(plan: Plan, secrets: Secrets) -> Live | None:
    """Refuse an `up` if cloud, state and stack secret do not agree, before it has created anything.

    Returns the state's content; None in a preview. Raises RunError with the differences and the command that resolves
    them.
    """
    if pulumi.runtime.is_dry_run():
        return None
    try:
        cloud, result = asking(lambda: _compare(plan))
    except IdrError as error:
        raise pulumi.RunError(str(error)) from None
    for line in result.warnings():
        pulumi.log.warn(line)
    if lines := [*result.problems(), *_other_secret(result.state, plan, secrets)]:
        raise pulumi.RunError("\n".join(lines))
    return Live(cloud, _deployed(result), result.state.outputs())


def require_safe_locations(plan: Plan) -> None:
    """Refuse an `up` or preview if gixy finds a fault in the site's own nginx locations.

    Raises RunError with every finding, a line each; before an `up` also if gixy cannot check.
    """
    try:
        findings = gixy.findings(plan.settings.site.locations)
    except gixy.GixyError as error:
        if not pulumi.runtime.is_dry_run():
            raise pulumi.RunError(str(error)) from None
        pulumi.log.warn(str(error))
        return
    if findings:
        raise pulumi.RunError("\n".join(findings))


def require_capacity(plan: Plan, cloud: "Connection") -> None:
    """Refuse an `up` that the cloud cannot carry out, before it has changed anything.

    Raises RunError with every shortfall, a line each, or with the reason why the cloud does not answer.
    """
    try:
        result = report(plan, asking(lambda: cloud_state.read(cloud, plan)))
    except CloudError as error:
        raise pulumi.RunError(str(error)) from None
    if result.shortfalls:
        lines = "\n".join(f"- {line}" for line in result.shortfalls)
        msg = f"nothing was changed: this cloud cannot hold the plan:\n{lines}"
        raise pulumi.RunError(msg)
    for line in (*result.notices, *result.unchecked):
        pulumi.log.warn(line)


def _other_secret(known: State, plan: Plan, secrets: Secrets) -> list[str]:
    """Return the message for nodes with keys of another stack secret, which would not accept these keys."""
    if not plan.settings.configure or are_of(secrets, known.outputs().get("knownHosts", "")):
        return []
    which = "idr:previousStackSecret" if secrets.previous else "idr:stackSecret"
    return [
        f"{which} is not the secret that this stack's nodes know: nothing was changed. To renew the secret, give the "
        "former one as idr:previousStackSecret (docs/guide.md, Renew the stack secret)."
    ]


def _compare(plan: Plan) -> tuple["Connection", Agreement]:
    """Compare cloud and state. Servers that are not listed are looked up by id: the update will create them again.

    Raises ListError if such a server exists.
    """
    with ThreadPoolExecutor(1) as pool:
        # The engine reads it in a process of its own; meanwhile this one loads the SDK and logs in.
        known = pool.submit(state.read, plan.stack)
        cloud = connect(setting)
        cloud.session.get_token()
    result = agreement.compared(cloud, plan, known.result())
    for name, number in result.deleted_servers().items():
        server = cloud.get_server_by_id(number)
        if server and server.status not in DELETED:
            msg = f"the cloud does not list server {name} ({number}), but it is there. Try again when Nova is well."
            raise ListError(msg)
    return cloud, result


def _deployed(result: Agreement) -> dict[str, DeployedServer]:
    """Return the state of each server, by its name in the plan."""
    deleted, off, changed = result.deleted_servers(), result.switched_off(), result.changed_metadata()
    ports = result.changed_groups()
    return {
        name: DeployedServer(
            image=_metadata(server, "image"),
            rebuild=_metadata(server, "rebuild"),
            # Values that the cloud chose are only in the outputs.
            zone=server.outputs.get("availabilityZone"),
            flavor=server.inputs.get("flavorName", ""),
            ports=len(server.inputs.get("networks") or ()),
            id=server.id or "",
            deleted=name in deleted,
            off=name in off,
            changed=changed.get(name, {}),
            groups=dict(_groups(ports[port]) for port in (name, f"{name}-storage") if port in ports),
        )
        for name, server in result.state.servers().items()
    }


def _metadata(server: Resource, key: str) -> str:
    return str((server.inputs.get("metadata") or {}).get(key, ""))


def _groups(port: Resource) -> tuple[str, tuple[str, ...]]:
    """Return the id of a port, and its security groups in the state."""
    return port.id or "", tuple(port.inputs.get("securityGroupIds") or ())
