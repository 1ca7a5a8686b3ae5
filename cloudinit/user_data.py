"""The bootstrap of a node, its user data in Nova: a pure function of the plan, the same bytes on every machine."""

import base64
from functools import cache
from typing import Any

import yaml

from cloudinit.templates import RenderError
from model.people import ADMIN_USER
from model.plan import Node, Plan
from model.planning import internal_name
from model.role_description import FOLDER
from model.roles import Role
from model.secrets import Secrets

LARGEST_USER_DATA = 43_000
"""Characters of base64. Nova's limit is 65,535; the rest is room to grow."""
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's dumper writes the same in a tenth of the time, but PyYAML can be built without it."""


def bootstrap(node: Node, plan: Plan, secrets: Secrets) -> str:
    """Return the user data of a node, as cloud-config: its identity, keys, packages, and `idr-apply`.

    If another tool configures the node, the user data has only the operators' keys, no packages or files. It never has
    peers, counts, passwords or tuning, so that a change of those replaces no server.
    """
    host_key = secrets.ssh_key(f"host/{node.name}")
    document = {
        "hostname": node.name,
        "fqdn": internal_name(secrets.stack, node=node.name),
        "manage_etc_hosts": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
        "ssh_pwauth": False,
        "disable_root": True,
        **(_deployed(plan, secrets) if plan.settings.configure else _handed_over(plan)),
    }
    if through := plan.settings.proxies.for_packages:
        document["apt"] = {"proxy": str(through), "https_proxy": str(through)}
    text = "#cloud-config\n" + _yaml(document)
    if plan.settings.configure:
        text += _software(node.packages, database=Role.DATABASE in node.roles)
    size = len(base64.b64encode(text.encode()))
    if size > LARGEST_USER_DATA:
        msg = f"the bootstrap of {node.name} has {size} characters, more than {LARGEST_USER_DATA}"
        raise RenderError(msg)
    return text


def _deployed(plan: Plan, secrets: Secrets) -> dict[str, Any]:
    """Return the first keys: the deployment's, and those of operators, who must see why a server fails to start.

    The configuration replaces them, so that former operators lose access.
    """
    return {"users": [_admin([*(key.public for key in secrets.deploy_keys()), *plan.root_keys])]}


def _handed_over(plan: Plan) -> dict[str, Any]:
    """Return the operators' keys, for the inventory's account and the image's own; both may use sudo."""
    return {"users": ["default", _admin([*plan.root_keys])], "ssh_authorized_keys": [*plan.root_keys]}


def _admin(keys: list[str]) -> dict[str, Any]:
    return {
        "name": ADMIN_USER,
        "gecos": "IDR configuration and operators",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "ssh_authorized_keys": keys,
    }


@cache
def _software(packages: tuple[str, ...], *, database: bool) -> str:
    """Return the part of the user data that is the same for all nodes with the same roles, cached."""
    files = [
        {
            "path": "/usr/local/sbin/idr-apply",
            "permissions": "0755",
            # Not compressed: the output of zlib differs by version, and other user data would replace the server.
            "content": (FOLDER / "bootstrap" / "idr-apply").read_text(),
        }
    ]
    if database:
        # Otherwise the package creates a cluster on the root disk, before the data volume is attached.
        files.append({"path": "/etc/postgresql-common/createcluster.conf", "content": "create_main_cluster = false\n"})
    return _yaml({"write_files": files, "packages": list(packages)})


def _yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=4096)


class _Dumper(_SafeDumper):  # type: ignore[misc]  # its base is one of two
    """Writes texts of several lines as blocks, which are readable in a preview."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
