"""`idr plan`: what a stack file declares, without cloud and engine."""

from typing import Any

from idr import stack_file
from idr.cli import AsJson, Stack, console, print_json, table
from idr.errors import IdrError
from idr.names import listed
from idr.topology import of_plan
from model.outputs.flows import firewall
from model.outputs.topology import Topology
from model.plan import Plan
from model.secrets import of_settings

STAND_IN = "no stack's secret: templates are only rendered to find mistakes"
UNKNOWN_BEFORE_UP = {"host_key", "id", "public_address"}


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Show what a stack file declares: networks, nodes, volumes, raw images, firewall. Needs neither cloud nor engine.

    Names settings that only an operator can fill in and that are still empty, and those that should change.
    `pulumi preview` shows what an `up` would change.
    """
    file = stack_file.read(stack)
    _check_site_roles(file)
    topology = of_plan(file.plan)
    if as_json:
        own = {"rawImages": _raw_images(file.plan), "firewall": _firewall(file.plan)}
        print_json(_plain(topology) | own | {"missing": file.missing(), "notices": file.notices()})
    else:
        _show(topology, file)


def _check_site_roles(file: stack_file.StackFile) -> None:
    """Render the templates of the site's own roles, with a stand-in for the stack secret. Raises IdrError."""
    if not any(scope.site_roles() for scope in file.plan.scopes):
        return
    from cloudinit.render import check_site_roles
    from cloudinit.templates import RenderError

    secrets = of_settings(file.settings, file.stack, STAND_IN)
    try:
        for node in file.plan.nodes:
            check_site_roles(node, file.plan, secrets)
    except RenderError as error:
        raise IdrError(str(error)) from None


def _plain(topology: Topology) -> dict[str, Any]:
    return topology.model_dump(mode="json", by_alias=True, exclude={"nodes": {"__all__": UNKNOWN_BEFORE_UP}})


def _firewall(plan: Plan) -> list[dict[str, Any]]:
    return [row.model_dump(by_alias=True) for row in firewall(plan)]


def _raw_images(plan: Plan) -> dict[str, str]:
    """Return where the raw images on OMERO nodes come from, by path."""
    return {path: source for entry in plan.settings.raw_images() for path, source in entry.sources()}


def _show(topology: Topology, file: stack_file.StackFile) -> None:
    out = console()
    networks = table("network", "CIDR", "gateway")
    for network in topology.networks:
        networks.add_row(network.name, network.cidr, network.gateway)
    nodes = table("node", "address", "flavor", "roles", whole=["node", "address"])
    machines = table("node", "image", "volumes", whole=["node"])
    for node in topology.nodes:
        volumes = ", ".join(f"{v.purpose} {v.size_gib} GiB at {v.mount}" for v in node.volumes)
        nodes.add_row(node.name, node.address, node.flavor, ", ".join(node.roles))
        machines.add_row(node.name, node.image, volumes)
    rules = table("who", "may reach", "port", "why", whole=["port"])
    for flow in topology.flows:
        rules.add_row(
            listed(flow.source, topology), listed(flow.target, topology), f"{flow.port}/{flow.protocol}", flow.why
        )
    images = table("raw images at", "from")
    for path, source in _raw_images(file.plan).items():
        images.add_row(path, source)
    for shown in (networks, nodes, machines, rules, *([images] if images.rows else ())):
        out.print(shown)
    for share in topology.shares:
        out.print(f"Manila share {share.name}: {share.size_gib} GiB at {share.mount} of every OMERO node")
    sizes = [volume.size_gib for node in topology.nodes for volume in node.volumes]
    out.print(
        f"{len(topology.nodes)} nodes, {len(sizes)} data volumes of {sum(sizes)} GiB in all; live: {topology.live}"
    )
    for line in (*file.missing(), *file.notices()):
        out.print(line, style="yellow")
