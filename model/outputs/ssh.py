"""ssh configuration and host keys, for people and for tools that call ssh.

The configuration contains each host's key (KnownHostsCommand, OpenSSH 8.5 or newer), so one file is enough, and the
user's known_hosts is not used.
"""

import shlex

from model.outputs.topology import NodeView, Topology


def known_hosts(topology: Topology) -> str:
    """Return a known_hosts file with every node's host key."""
    return "".join(f"{_known_host(node)}\n" for node in topology.nodes)


def ssh_config(topology: Topology, identity: str | None = None) -> str:
    """Return an ssh_config for every node by name, through the bastion, which accepts only the node's host key.

    `identity` is a private key's file to offer beside what the agent has.
    """
    return "\n".join(_block(node, topology, identity) for node in topology.nodes)


def ssh_arguments(node: NodeView, topology: Topology, identity: str | None = None) -> str:
    """Return the configuration for one node as arguments of `ssh`, quoted for a shell."""
    arguments = _options(node, identity)
    if node != topology.bastion:
        bastion = topology.bastion
        # ProxyJump would not verify the bastion's host key.
        proxy_command = ["ssh", *_options(bastion, identity), "-W", "%h:%p", f"{topology.passed_on}@{host(bastion)}"]
        arguments += ["-o", f"ProxyCommand={shlex.join(proxy_command)}"]
    return shlex.join(arguments)


def host(node: NodeView) -> str:
    """Return the address that ssh connects to: the public one for the bastion."""
    return node.public_address or node.address if node.release is None else node.address


def _known_host(node: NodeView) -> str:
    return f"{node.name} {node.host_key}"


def _settings(node: NodeView, identity: str | None) -> dict[str, str]:
    return {
        **({"IdentityFile": identity} if identity else {}),
        # A machine without network closes no connection, and by default ssh waits for ever.
        "ConnectTimeout": "30",
        "ServerAliveInterval": "15",
        "HostKeyAlias": node.name,
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": "/dev/null",
        "GlobalKnownHostsFile": "/dev/null",
        "KnownHostsCommand": f"/bin/echo {_known_host(node)}",
    }


def _options(node: NodeView, identity: str | None) -> list[str]:
    return [part for key, value in _settings(node, identity).items() for part in ("-o", f"{key}={value}")]


def _block(node: NodeView, topology: Topology, identity: str | None) -> str:
    jump = {} if node == topology.bastion else {"ProxyJump": f"{topology.passed_on}@{topology.bastion.name}"}
    lines = {"HostName": host(node), "User": topology.admin_user, **jump, **_settings(node, identity)}
    return f"Host {node.name}\n" + "".join(f"  {key} {value}\n" for key, value in lines.items())
