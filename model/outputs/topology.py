"""Topology: networks, nodes, volumes and flows. Every other view of the nodes is derived only from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from model import shares
from model.disks import virtio_link
from model.outputs.flows import Flow, flows
from model.outputs.groups import groups
from model.outputs.view import View
from model.people import ADMIN_USER, JUMP_USER
from model.plan import Node, Plan
from model.roles import SiteRole
from model.secrets import Secrets


@dataclass(frozen=True)
class Known:
    """Values that are known after an `up`: two addresses, ids by the names of servers and volumes, cloud and project.

    `shares` has the export location of each Manila share by name.
    """

    public: str
    bastion: str
    servers: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, str] = field(default_factory=dict)
    auth_url: str | None = None
    project_id: str = ""
    region: str = ""


class VolumeView(View):
    """A data volume."""

    name: str
    purpose: str = Field(description="Its name in the stack file: db, data, nginxcache")
    size_gib: int
    mount: str = Field(description="Where the guest mounts it")
    id: str | None = Field(None, description="Cinder's id; the guest finds the disk by it")

    @property
    def device(self) -> str | None:
        """The disk in a KVM guest with virtio, the usual kind; None until the volume exists."""
        return virtio_link(self.id) if self.id else None


class ShareView(View):
    """A Manila share of the stack's own, which the OMERO nodes mount."""

    name: str
    size_gib: int
    mount: str = Field(description="Where it is on the nodes")
    source: str | None = Field(None, description="Its export location, as in 192.0.2.1:/path")


class MetricsView(View):
    """The metrics endpoint of a role of the site's own on a node."""

    role: str
    port: int
    path: str
    tls: bool = Field(description="Whether it answers by TLS, with a certificate of the stack's authority")


class NodeView(View):
    """One server."""

    name: str
    alias: str = Field(description="Its name within its release")
    release: str | None = Field(description="null for the bastion, which serves all releases")
    roles: tuple[str, ...]
    groups: tuple[str, ...] = Field(description="Ansible groups, by IDR's own names")
    network: str
    address: str = Field(description="Fixed, in its network")
    public_address: str | None = None
    flavor: str
    image: str
    zone: str | None = None
    host_key: str = Field(description="ssh host key, public: 'ssh-ed25519 AAAA...'")
    volumes: tuple[VolumeView, ...] = ()
    id: str | None = Field(None, description="Nova's id")
    metrics: tuple[MetricsView, ...] = Field(
        (), description="Of the site's own roles; absent where there are none", exclude_if=lambda metrics: not metrics
    )


class NetworkView(View):
    """A network with one subnet."""

    name: str
    cidr: str
    gateway: str


class Topology(View):
    """A whole stack. Lists are in a fixed order, the bastion first."""

    stack: str
    live: str = Field(description="The release that the public address leads to")
    external_network: str
    host_name: str
    admin_user: str = Field(description="Who logs in with ssh on every node, and may sudo")
    # Defaults: the outputs of earlier versions do not have them.
    jump_user: str | None = Field(None, description="Whose connections the bastion passes on; null: the admin user's")
    configured: bool = Field(True, description="Whether `pulumi up` configures the nodes; else another tool does")
    networks: tuple[NetworkView, ...]
    nodes: tuple[NodeView, ...]
    flows: tuple[Flow, ...]
    shares: tuple[ShareView, ...] = Field(
        (), description="Absent where there are none", exclude_if=lambda shares: not shares
    )

    @model_validator(mode="after")
    def _has_a_bastion(self) -> Self:
        if not any(node.release is None for node in self.nodes):
            raise ValueError("nodes: none is the bastion, whose release is null")
        return self

    @property
    def passed_on(self) -> str:
        """The account whose connections the bastion forwards."""
        return self.jump_user or self.admin_user

    def as_account(self, name: str) -> "Topology":
        """Return the topology for a person's own account on every hop."""
        return self.model_copy(update={"admin_user": name, "jump_user": None})

    @cached_property
    def bastion(self) -> NodeView:
        """The bastion, through which operators reach every node."""
        return next(node for node in self.nodes if node.release is None)

    def with_role(self, role: str) -> tuple[NodeView, ...]:
        """Return the nodes with `role`."""
        return tuple(node for node in self.nodes if role in node.roles)


def topology(plan: Plan, secrets: Secrets, known: Known | None = None) -> Topology:
    """Return the topology of a plan, with the values that are known after an `up`."""
    return Topology(
        stack=plan.stack,
        live=plan.settings.live,
        external_network=plan.external_network,
        host_name=plan.host_name,
        admin_user=ADMIN_USER,
        jump_user=JUMP_USER if plan.settings.configure else None,
        configured=plan.settings.configure,
        networks=tuple(
            NetworkView(name=subnet.name, cidr=str(subnet.cidr), gateway=str(subnet.gateway))
            for subnet in (scope.subnet for scope in plan.scopes)
        ),
        nodes=tuple(_node(node, plan, secrets, known) for node in plan.nodes),
        flows=flows(plan),
        shares=tuple(
            ShareView(
                name=one.name,
                size_gib=one.size_gib,
                mount=one.mount,
                source=known.shares.get(one.name) if known else None,
            )
            for one in shares.of(plan)
        ),
    )


def _node(node: Node, plan: Plan, secrets: Secrets, known: Known | None) -> NodeView:
    public = {plan.bastion_node.name: known.bastion, plan.public_node().name: known.public} if known else {}
    ids = known.volumes if known else {}
    return NodeView(
        name=node.name,
        alias=node.alias,
        release=None if node == plan.bastion_node else node.scope,
        roles=tuple(str(role) for role in node.roles),
        groups=groups(node, plan),
        network=node.scope,
        address=str(node.address),
        public_address=public.get(node.name),
        flavor=node.flavor_name,
        image=node.image,
        zone=node.zone,
        host_key=secrets.ssh_key(f"host/{node.name}").public,
        volumes=tuple(
            VolumeView(name=v.name, purpose=v.purpose, size_gib=v.size_gib, mount=v.mount, id=ids.get(v.name))
            for v in node.volumes
        ),
        id=known.servers.get(node.name) if known else None,
        metrics=tuple(
            MetricsView(role=str(role), port=metrics.port, path=metrics.path, tls=metrics.tls)
            for role in node.roles
            if isinstance(role, SiteRole) and (metrics := role.description.metrics)
        ),
    )
