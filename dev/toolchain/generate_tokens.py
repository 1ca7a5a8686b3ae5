#!/usr/bin/env python3
"""Derive internal/openstack/tokens.json: the Terraform name of each token of the SDK pulumi_openstack.

usage: generate_tokens.py     (in the project's virtual environment; it builds the plugin)

The SDK has tokens but no Terraform names, and no package has the official plugin's table. Token and name differ only in
case, underscores, a service prefix and a version suffix, so the two lists are enough to derive the table. Run this
again when the SDK or the Terraform provider changes; tests/unit/toolchain/test_plugin_names.py checks every property of
the result.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pulumi_openstack

HERE = Path(__file__).parent
TABLE = HERE / "internal" / "openstack" / "tokens.json"
PLUGIN = ("go", "run", "-mod=readonly", "./cmd/pulumi-resource-openstack", "--names")
TOKEN = re.compile(r"openstack:(?P<module>\w+)/\w+:(?P<member>\w+)$")
SERVICES = {"db": "database", "fw": "firewall", "lb": "loadbalancer"}
# Tokens that the official plugin defines by hand: misspellings, and words that are not in the Terraform name.
ODD = {
    "openstack:blockstorage/quoteSetV3:QuoteSetV3": "openstack_blockstorage_quotaset_v3",
    "openstack:dns/getDnsZone:getDnsZone": "openstack_dns_zone_v2",
    "openstack:objectstorage/containerObject:ContainerObject": "openstack_objectstorage_object_v1",
    "openstack:sharedfilesystem/getAvailbilityZones:getAvailbilityZones": (
        "openstack_sharedfilesystem_availability_zones_v2"
    ),
}


def squash(name: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def keys(terraform_name: str) -> list[str]:
    """Return the squashed forms of this Terraform name that a token may have, the best first."""
    service, _, rest = terraform_name.removeprefix("openstack_").partition("_")
    full = squash(SERVICES.get(service, service) + rest)
    return [full, re.sub(r"v\d+$", "", full)]


def resolve(token: str, terraform_names: list[str]) -> str | None:
    """Return the Terraform name of a token, or None if the token is a deprecated second one."""
    match = TOKEN.match(token)
    if token in ODD or not match:
        return ODD.get(token)
    module, member = match["module"], match["member"].removeprefix("get")
    wanted = squash(member if module == "index" else module + member)
    for form in (0, 1):
        # Of two API versions, a token without a version means the newer.
        matches = [name for name in sorted(terraform_names, reverse=True) if keys(name)[form] == wanted]
        if matches:
            return matches[0]
    return None


def sdk_tokens() -> tuple[list[str], list[str]]:
    """Return all resource and function tokens that the SDK's sources mention."""
    sources = [file.read_text() for file in sorted(Path(pulumi_openstack.__file__).parent.rglob("*.py"))]
    resources = {token for text in sources for token in re.findall(r'@pulumi\.type_token\("(openstack:[^"]+)"', text)}
    functions = {token for text in sources for token in re.findall(r"runtime\.invoke\('(openstack:[^']+)'", text)}
    return sorted(resources), sorted(functions)


def main() -> None:
    """Write the table and print the tokens that are not in it."""
    done = subprocess.run(PLUGIN, cwd=HERE, env={**os.environ, "CGO_ENABLED": "0"}, check=True, stdout=subprocess.PIPE)
    names = json.loads(done.stdout)["terraform"]
    table: dict[str, dict[str, str]] = {}
    for kind, tokens in zip(("resources", "functions"), sdk_tokens(), strict=True):
        # Tokens of the module "index" are the older ones: a newer token of the same thing wins.
        for token in sorted(tokens, key=lambda token: (":index/" in token, token)):
            name = resolve(token, names[kind])
            if name is None or name in table.setdefault(kind, {}):
                print(f"left out: {token} ({name or 'no Terraform name'})")
            else:
                table[kind][name] = token
    TABLE.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")
    print(f"{TABLE}: {len(table['resources'])} resources, {len(table['functions'])} functions")


if __name__ == "__main__":
    main()
