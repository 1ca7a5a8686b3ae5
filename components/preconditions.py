"""What must be true before an `up` changes anything. A preview asks nothing: a reviewer may have no credentials."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from components.cloud import setting
from idr import agreement, capacity, cloud_state, gixy
from idr.agreement import Agreement
from idr.cloud import CloudError, asking, connect
from idr.errors import IdrError
from idr.state import Resource, State
from model.plan import Plan
from model.replacement import Deployed
from model.secrets import Secrets, are_of

if TYPE_CHECKING:
    from openstack.connection import Connection

DELETED = ("DELETED", "SOFT_DELETED")
"""Nova's states of a server that somebody has deleted, as long as it remembers it."""

START_SECONDS = 300
"""How long a server that was switched off may take to run."""


class ListError(IdrError):
    """The cloud does not list what it has."""


def require_agreement(plan: Plan, secrets: Secrets) -> dict[str, Deployed]:
    """Refuse an `up` where cloud, state and stack secret do not agree, before it has created anything.

    Returns what the state's servers were created from, by their names in the plan; nothing in a preview. Raises
    RunError with the differences and the command that resolves them.
    """
    if pulumi.runtime.is_dry_run():
        return {}
    try:
        result = asking(lambda: _confirmed(connect(setting), plan))
    except IdrError as error:
        raise pulumi.RunError(str(error)) from None
    for line in result.warnings():
        pulumi.log.warn(line)
    if lines := [*result.problems(), *_other_secret(result.state, plan, secrets)]:
        raise pulumi.RunError("\n".join(lines))
    return {name: _deployed(name, server, result) for name, server in result.state.servers().items()}


def require_safe_locations(plan: Plan) -> None:
    """Refuse a preview, too, where gixy finds a fault in the site's own nginx locations.

    Raises RunError with every finding, a line each, and before an `up` also where gixy cannot tell.
    """
    try:
        found = gixy.findings(plan.settings.site.locations)
    except gixy.GixyError as error:
        if not pulumi.runtime.is_dry_run():
            raise pulumi.RunError(str(error)) from None
        pulumi.log.warn(str(error))
        return
    if found:
        raise pulumi.RunError("\n".join(found))


def require_capacity(plan: Plan) -> None:
    """Refuse an `up` that the cloud cannot carry out, before it has changed anything.

    Raises RunError with every shortfall, a line each, or with what is wrong with the credentials.
    """
    if pulumi.runtime.is_dry_run():
        return
    try:
        state = asking(lambda: cloud_state.read(connect(setting), plan))
    except CloudError as error:
        raise pulumi.RunError(str(error)) from None
    report = capacity.report(plan, state)
    if report.shortfalls:
        lines = "\n".join(f"- {line}" for line in report.shortfalls)
        msg = f"nothing was changed: this cloud cannot hold the plan:\n{lines}"
        raise pulumi.RunError(msg)
    for line in (*report.notices, *report.unchecked):
        pulumi.log.warn(line)


def restore_servers(plan: Plan, deployed: Mapping[str, Deployed]) -> None:
    """Before an `up`, start the servers that are switched off, and put back metadata and security groups.

    The engine sees none of these: the provider reads neither a server's metadata nor a port's groups, and its state
    says what ran. Servers of a frozen release stay as they are. Raises RunError where the cloud refuses.
    """
    frozen = {node.name for scope in plan.scopes if scope.frozen for node in scope.nodes}
    changed = {
        name: one for name, one in deployed.items() if (one.off or one.changed or one.groups) and name not in frozen
    }
    if not changed:
        return
    try:
        asking(lambda: _restore(connect(setting), changed))
    except IdrError as error:
        raise pulumi.RunError(str(error)) from None


def _restore(cloud: "Connection", changed: Mapping[str, Deployed]) -> None:
    for name, one in changed.items():
        for key, value in one.changed.items():
            pulumi.log.info(f"server {name}: metadata {key} was changed and is put back")
            if value is None:
                cloud.compute.delete_server_metadata(one.id, [key])
            else:
                cloud.compute.set_server_metadata(one.id, **{key: value})
        for port, groups in one.groups.items():
            pulumi.log.info(f"server {name}: the security groups of its port were changed and are put back")
            _put_back_groups(cloud, port, groups)
        if one.off:
            pulumi.log.info(f"server {name} is switched off and is started now")
            cloud.compute.start_server(one.id)
    for one in changed.values():
        if one.off:
            cloud.compute.wait_for_server(cloud.compute.get_server(one.id), wait=START_SECONDS)


def _put_back_groups(cloud: "Connection", port: str, groups: tuple[str, ...]) -> None:
    wanted: dict[str, Any] = {"security_groups": list(groups)}
    if groups and cloud.network.get_port(port).is_port_security_enabled is False:
        # Only then: not every cloud knows the attribute.
        wanted["port_security_enabled"] = True
    cloud.network.update_port(port, **wanted)


def _other_secret(known: State, plan: Plan, secrets: Secrets) -> list[str]:
    """What to say where the nodes are of another stack secret: they would let nobody in who has these keys."""
    if not plan.settings.configure or are_of(secrets, known.outputs().get("knownHosts", "")):
        return []
    which = "idr:previousStackSecret" if secrets.previous else "idr:stackSecret"
    return [
        f"{which} is not the secret that this stack's nodes know: nothing was changed. To renew the secret, give the "
        "former one as idr:previousStackSecret (docs/guide.md, Renew the stack secret)."
    ]


def _confirmed(cloud: "Connection", plan: Plan) -> Agreement:
    """Compare cloud and state. Each server that is not listed is looked up by its id: the update will create it again.

    Raises ListError where it is there all the same.
    """
    result = agreement.of(cloud, plan)
    for name, number in result.gone_servers().items():
        server = cloud.get_server_by_id(number)
        if server and server.status not in DELETED:
            msg = f"the cloud does not list server {name} ({number}), but it is there. Try again when Nova is well."
            raise ListError(msg)
    return result


def _deployed(name: str, server: Resource, result: Agreement) -> Deployed:
    inputs = server.inputs
    metadata = inputs.get("metadata") or {}
    ports = (port for key, port in result.changed_groups().items() if key in (name, f"{name}-storage"))
    return Deployed(
        image=metadata.get("image", ""),
        rebuild=metadata.get("rebuild", ""),
        # What the cloud chose is in the outputs alone.
        zone=server.outputs.get("availabilityZone"),
        flavor=inputs.get("flavorName", ""),
        ports=len(inputs.get("networks") or ()),
        gone=result.gone_servers().get(name, ""),
        id=server.id or "",
        off=name in result.switched_off(),
        changed=result.changed_metadata().get(name, {}),
        groups={port.id or "": tuple(port.inputs.get("securityGroupIds") or ()) for port in ports},
    )
