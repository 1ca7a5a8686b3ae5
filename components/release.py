"""Release: a complete set of nodes in a network of its own. The bastion has one with a single node."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pulumi
import pulumi_openstack as openstack
from pulumi import ResourceOptions

from cloudinit import render
from cloudinit.templates import RenderError
from cloudinit.user_data import bootstrap
from components.configuration import Configuration, Route
from components.data_share import DataShares
from components.firewall import Firewall
from components.network import Network
from components.node import Node
from components.turns import Turns
from model.plan import Node as NodePlan
from model.plan import Plan, Scope
from model.release_settings import AntiAffinity
from model.secrets import Secrets

POLICIES = {AntiAffinity.SOFT: "soft-anti-affinity", AntiAffinity.HARD: "anti-affinity"}


class Release(pulumi.ComponentResource):
    """Network, firewall, server groups and nodes of a scope.

    `nodes` has the nodes by name; `configure` configures them once they can be reached.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        plan: Plan,
        secrets: Secrets,
        router_id: pulumi.Input[str],
        turns: Turns,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:release:Release", scope.name, None, opts)
        self._plan, self._secrets, self._scope, self._turns = plan, secrets, scope, turns
        child = ResourceOptions(parent=self)
        replaced = ResourceOptions(parent=self, delete_before_replace=True)
        self.network = Network(scope, plan=plan, router_id=router_id, opts=child)
        self.firewall = Firewall(scope, plan=plan, opts=child)
        server_groups = {
            name: openstack.compute.ServerGroup(
                name, name=plan.cloud_name(name), policies=POLICIES[policy], opts=replaced
            ).id
            for name, policy in scope.server_groups.items()
        }
        with _as_run_error():
            user_data = {node.name: bootstrap(node, plan, secrets) for node in scope.nodes}
        self.nodes = {
            node.name: Node(
                node,
                plan=plan,
                network=self.network,
                group_ids=self.firewall.ids,
                server_group_ids=server_groups,
                user_data=user_data[node.name],
                turns=turns,
                opts=child,
            )
            for node in scope.nodes
        }
        self.register_outputs({})

    def configure(
        self, bastion_address: pulumi.Input[str], after: list[pulumi.Resource], shares: DataShares
    ) -> dict[str, Configuration]:
        """Apply every node's configuration, through the bastion, after the resources in `after`.

        Returns the configurations by node.
        """
        jump = self._route(self._plan.bastion_node, bastion_address, None)
        is_renewed = self._secrets.previous is not None
        with _as_run_error():
            for node in self._scope.nodes:
                render.check_site_roles(node, self._plan, self._secrets)
        return {
            node.name: Configuration(
                node.name,
                node=self.nodes[node.name],
                route=jump if node == self._plan.bastion_node else self._route(node, str(node.address), jump),
                bundle=partial(self._bundle, node),
                export_locations=shares.of_node(node.name),
                host_key=self._secrets.ssh_key(f"host/{node.name}") if is_renewed else None,
                frozen=self._scope.frozen,
                turn=self._turns.before_configuration(node.name),
                opts=ResourceOptions(parent=self, depends_on=[*after, *shares.access_rules(node.name)]),
            )
            for node in self._scope.nodes
        }

    def _route(self, node: NodePlan, host: pulumi.Input[str], through: Route | None) -> Route:
        return Route(host, self._secrets.host_keys(node.name), self._secrets.deploy_keys()[0], through)

    def _bundle(self, node: NodePlan, volume_ids: Mapping[str, str], export_locations: Mapping[str, str]) -> str:
        with _as_run_error():
            return render.bundle(node, self._plan, self._secrets, volume_ids, export_locations)


@contextmanager
def _as_run_error() -> Iterator[None]:
    """Raise RunError, which the engine shows without a traceback, if a configuration cannot be rendered."""
    try:
        yield
    except RenderError as error:
        raise pulumi.RunError(str(error)) from None
