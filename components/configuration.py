"""Configuration: apply a node's bundle, and stop its services before its volumes are detached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_command import local, remote

from components.node import Node
from model.openssh import SshKey
from model.people import ADMIN_USER

# A first boot takes a minute or two; a refused connection is tried again after up to 15 s.
DIAL_ATTEMPTS = 40
# Relative to the checkout, where the engine runs commands: the path of one operator would be a change for the next.
RUN_MODULE = ".venv/bin/python -m"


@dataclass(frozen=True)
class Route:
    """The ssh route to a node: address, host keys, private key, and the bastion.

    The node has the first host key once it is configured.
    """

    host: pulumi.Input[str]
    host_keys: tuple[str, ...]
    key: SshKey
    through: "Route | None" = None

    def connection(self) -> remote.ConnectionArgs:
        """Return the connection for the command plugin. Host keys are known before the servers exist."""
        jump = self.through
        return remote.ConnectionArgs(
            host=self.host,
            user=ADMIN_USER,
            private_key=pulumi.Output.secret(self.key.private),
            host_key=self.host_keys[0],
            dial_error_limit=DIAL_ATTEMPTS,
            proxy=remote.ProxyConnectionArgs(
                host=jump.host,
                user=ADMIN_USER,
                private_key=pulumi.Output.secret(jump.key.private),
                host_key=jump.host_keys[0],
                dial_error_limit=DIAL_ATTEMPTS,
            )
            if jump
            else None,
        )

    def as_json(self) -> pulumi.Output[str]:
        """Return the route for `idr.stop`, which reads it from standard input."""
        return pulumi.Output.secret(pulumi.Output.json_dumps(self.plain()))

    def plain(self) -> dict[str, Any]:
        """Return the route as `idr.stop.configuration` reads it."""
        host_key, *former = self.host_keys
        return {
            "host": self.host,
            "user": ADMIN_USER,
            "hostKey": host_key,
            **({"formerHostKeys": former} if former else {}),
            "key": self.key.private,
            **({"through": self.through.plain()} if self.through else {}),
        }


class Configuration(pulumi.ComponentResource):
    """Applies a node's bundle when it changes, and waits until the node's roles are healthy. Skips `frozen` nodes.

    Depends on the server by property: when that is replaced, the engine first deletes this, which stops the services
    and unmounts the volumes as far as the machine can be reached (`idr.stop`), then detaches them, then deletes the
    server. Depend on `applied` for a working node. It depends itself on the resources in `turn`.

    Where `host_key` is given, which a renewal of the stack secret does, the node first gets that ssh host key
    (`idr.host_key`); wait for `renewed` to have that done.
    """

    def __init__(
        self,
        name: str,
        *,
        node: Node,
        route: Route,
        bundle: Callable[[Mapping[str, str], Mapping[str, str]], str],
        export_locations: Mapping[str, pulumi.Input[str]],
        frozen: bool,
        turn: Sequence[pulumi.Input[pulumi.Resource]] = (),
        host_key: SshKey | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("idr:configuration:Configuration", name, None, opts)
        rendered: pulumi.Output[str] = pulumi.Output.all(node.volume_ids, export_locations).apply(
            lambda known: bundle(*known)
        )
        secret: pulumi.Output[str] = pulumi.Output.secret(rendered)
        # A local command: a remote one needs a connection, so an unreachable server could never be replaced.
        stop = local.Command(
            name,
            delete=f"{RUN_MODULE} idr.stop",
            stdin=route.as_json(),
            triggers=[node.instance_id],
            add_previous_output_in_env=False,
            opts=ResourceOptions(
                parent=self,
                depends_on=node.attachments,
                delete_before_replace=True,
                ignore_changes=["stdin", "delete", "triggers"] if frozen else [],
            ),
        )
        self.renewed = [self._renew(name, node, route, host_key)] if host_key else []
        self.applied = remote.Command(
            name,
            connection=route.connection(),
            create="sudo /usr/local/sbin/idr-apply",
            # On standard input: a command line is visible in the process list and in error messages.
            stdin=secret,
            triggers=[node.instance_id],
            add_previous_output_in_env=False,
            opts=ResourceOptions(
                parent=self,
                depends_on=[stop, *self.renewed, *node.attachments, *turn],
                delete_before_replace=True,
                # A frozen release keeps its configuration, also with newer templates and settings.
                ignore_changes=["stdin", "create", "delete", "connection", "triggers"] if frozen else [],
            ),
        )
        self.done = self.applied.stdout
        self.register_outputs({"done": self.done})

    def _renew(self, name: str, node: Node, route: Route, host_key: SshKey) -> pulumi.Resource:
        """Install the node's new host key.

        With OpenSSH, which accepts several host keys for a machine; the plugin's connection accepts one.
        """
        stdin: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.json_dumps({"route": route.plain(), "hostKey": host_key.private})
        )
        return local.Command(
            f"{name}-host-key",
            create=f"{RUN_MODULE} idr.host_key",
            stdin=stdin,
            add_previous_output_in_env=False,
            opts=ResourceOptions(parent=self, depends_on=[node.instance]),
        )
