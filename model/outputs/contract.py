"""The contract: the content of `pulumi stack output --json`, for readers outside this project.

`contract` is its number. Within one number outputs and fields are only added; readers ignore unknown ones.
"""

from typing import Any, Final, Literal

from pydantic import Field

from model import programs
from model.firewall import OMERO_SSL_PORT, SSH_PORT
from model.outputs.flows import FirewallRow, firewall
from model.outputs.inventory import Target, ansible, prometheus
from model.outputs.ssh import known_hosts, ssh_config
from model.outputs.topology import Known, Topology, topology
from model.outputs.view import View
from model.plan import Plan
from model.secrets import Secrets

CONTRACT: Final = 1


class Endpoints(View):
    """The addresses of the service."""

    web: str = Field(description="URL of the web pages")
    api: str = Field(description="URL of the JSON API")
    omero: str = Field(description="address:port for OMERO clients")
    omero_servers: tuple[str, ...] = Field(
        (), description="address:port for OMERO clients of one OMERO.server each; empty where there is one only"
    )
    omero_websocket: str = Field(description="URL for OMERO clients over websockets")
    omero_client: str = Field(description="URL of the arguments for an OMERO client, as idr-py reads them")
    bastion: str = Field(description="address:port for ssh")


class CloudView(View):
    """The cloud and project that the stack is in."""

    auth_url: str | None = Field(description="Keystone in the last `up`; null: from clouds.yaml")
    region: str
    project_id: str


class ReleaseView(View):
    """One release."""

    name: str
    live: bool
    cidr: str
    nodes: tuple[str, ...]


class Outputs(View):
    """Outputs of a stack of the IDR deployment."""

    contract: Literal[1] = 1
    endpoints: Endpoints
    # With a default, because outputs of earlier versions have none.
    cloud: CloudView = CloudView(auth_url=None, region="", project_id="")
    inventory: dict[str, Any] = Field(description="Ansible dynamic inventory, as a script prints it for --list")
    ssh_config: str = Field(description="ssh_config that reaches every node by name; needs OpenSSH 8.5 or newer")
    known_hosts: str = Field(description="known_hosts file with every node's key under its name")
    prometheus_targets: tuple[Target, ...] = Field(
        description="Prometheus file_sd: every node's exporter, and metrics of the site's own roles"
    )
    topology: Topology
    firewall: tuple[FirewallRow, ...]
    releases: tuple[ReleaseView, ...]
    certificate_authority: str = Field(
        description="PEM certificate of the stack's authority, valid for the host name alone; two while it is renewed"
    )


NAMES = tuple(field.alias or name for name, field in Outputs.model_fields.items())
"""Names of all outputs."""


def outputs(plan: Plan, secrets: Secrets, known: Known) -> dict[str, Any]:
    """Return all outputs by name, as plain data."""
    view = topology(plan, secrets, known)
    all_outputs = Outputs(
        endpoints=_endpoints(plan, known),
        cloud=CloudView(auth_url=known.auth_url, region=known.region, project_id=known.project_id),
        inventory=ansible(view),
        ssh_config=ssh_config(view),
        known_hosts=known_hosts(view),
        prometheus_targets=prometheus(view),
        topology=view,
        firewall=firewall(plan),
        releases=_releases(plan),
        certificate_authority=secrets.visitors_authorities(plan.host_name),
    )
    return all_outputs.model_dump(mode="json", by_alias=True)


def planned(plan: Plan, secrets: Secrets) -> dict[str, Any]:
    """Return the outputs that are known before an `up`, so that the first preview can show them."""
    nowhere = Known(public="", bastion="")
    everything = outputs(plan, secrets, nowhere)
    return {
        name: everything[name] for name in ("contract", "knownHosts", "firewall", "releases", "certificateAuthority")
    }


def _endpoints(plan: Plan, known: Known) -> Endpoints:
    live = plan.release(plan.settings.live)
    return Endpoints(
        web=f"https://{known.public}/",
        api=f"https://{known.public}/api/v0/",
        omero=f"{known.public}:{OMERO_SSL_PORT}",
        omero_servers=tuple(f"{known.public}:{port}" for port in programs.server_ports(live.nodes)),
        omero_websocket=f"wss://{known.public}/omero-ws",
        omero_client=f"https://{known.public}/connection/omero-client.json",
        bastion=f"{known.bastion}:{SSH_PORT}",
    )


def _releases(plan: Plan) -> tuple[ReleaseView, ...]:
    return tuple(
        ReleaseView(
            name=release.name,
            live=release.name == plan.settings.live,
            cidr=str(release.subnet.cidr),
            nodes=tuple(node.name for node in release.nodes),
        )
        for release in plan.releases
    )
