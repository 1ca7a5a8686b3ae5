"""`idr inventory`: the stack's nodes as other tools read them."""

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from idr import outputs
from idr.cli import Identity, OptionalStack, print_json, write
from idr.errors import IdrError
from model.outputs import inventory, ssh
from model.outputs.topology import Topology


class Format(StrEnum):
    """What to write."""

    ANSIBLE = "ansible"
    INI = "ini"
    SSH = "ssh"
    KNOWN_HOSTS = "known-hosts"
    PROMETHEUS = "prometheus"
    HOSTS = "hosts"
    JSON = "json"


def _json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


RENDERERS: dict[Format, Callable[[Topology, str | None], str]] = {
    Format.ANSIBLE: lambda topology, identity: _json(inventory.ansible(topology, identity)),
    Format.INI: inventory.ini,
    Format.SSH: ssh.ssh_config,
    Format.KNOWN_HOSTS: lambda topology, _: ssh.known_hosts(topology),
    Format.PROMETHEUS: lambda topology, _: _json([target.model_dump() for target in inventory.prometheus(topology)]),
    Format.HOSTS: lambda topology, _: inventory.hosts_file(topology),
    Format.JSON: lambda topology, _: _json(topology.model_dump(mode="json", by_alias=True)),
}


def command(
    stack: OptionalStack = None,
    source: outputs.From = None,
    listed: Annotated[bool, typer.Option("--list", help="All hosts, as Ansible asks a dynamic inventory.")] = False,
    host: Annotated[str | None, typer.Option(help="Variables of one host, as Ansible asks.", metavar="NAME")] = None,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.ANSIBLE,
    output: Annotated[Path | None, typer.Option(help="Write to FILE instead of standard output.")] = None,
    identity: Identity = None,
) -> None:
    """Print the stack's nodes for Ansible, ssh, Prometheus (file_sd), /etc/hosts, or as JSON (the topology).

    Made from the stack's outputs alone. Every connection goes through the bastion, and each machine must show the host
    key that this stack gave it. `bin/idr-inventory` is the same as an Ansible inventory script.
    """
    if listed and (host or form is not Format.ANSIBLE):
        raise typer.BadParameter("--list is Ansible's; use it without --host and --format")
    topology = outputs.read(stack, source).topology
    key = str(identity) if identity else None
    if host:
        variables = inventory.ansible(topology, key)["_meta"]["hostvars"]
        if host not in variables:
            msg = f"no such host: {host}; there are: {', '.join(variables)}"
            raise IdrError(msg)
        print_json(variables[host])
        return
    write(RENDERERS[form](topology, key), output)
