"""Translates a Pulumi state to Terraform's JSON: the same objects, inputs and references."""

import json
import re
from collections.abc import Mapping
from typing import Any

from harness.stacks import ROOT

TOKENS = ROOT / "dev" / "toolchain" / "internal" / "openstack" / "tokens.json"
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105  # Pulumi's mark of a secret value in a state, the same everywhere

Json = Any
Schema = Mapping[str, Any]


class TranslationError(Exception):
    """A part of a state has no counterpart in Terraform; the text names it."""


def translate(state: Json, schema: Schema, provider: Mapping[str, str]) -> dict[str, Json]:
    """Return Terraform's configuration for the OpenStack resources of `pulumi stack export --show-secrets`.

    `schema` is the provider's, from `terraform providers schema -json`. Raises TranslationError for a resource or
    property that the provider does not know.
    """
    names = {token: name for name, token in json.loads(TOKENS.read_text())["resources"].items()}
    declared = [r for r in state["deployment"]["resources"] if r["type"].startswith("openstack:")]
    addresses = {r["urn"]: (names[r["type"]], _label(r["urn"])) for r in declared}
    references = {r["id"]: f"${{{'.'.join(addresses[r['urn']])}.id}}" for r in declared}
    # Other resources refer to a floating IP by its address, not by its id.
    references |= {
        r["outputs"]["address"]: f"${{{'.'.join(addresses[r['urn']])}.address}}"
        for r in declared
        if r["type"].endswith(":FloatingIp")
    }
    resources: dict[str, dict[str, Json]] = {}
    for resource in declared:
        kind, label = addresses[resource["urn"]]
        block = schema["resource_schemas"][kind]["block"]
        body = _body(resource["inputs"], block, references, kind)
        others = [".".join(addresses[urn]) for urn in resource.get("dependencies", ()) if urn in addresses]
        resources.setdefault(kind, {})[label] = {**body, "depends_on": others} if others else body
    return {
        "terraform": {"required_providers": {"openstack": {"source": "terraform-provider-openstack/openstack"}}},
        "provider": {"openstack": dict(provider)},
        "resource": resources,
    }


def _label(urn: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", urn.rsplit("::", 1)[-1])


def _body(inputs: Json, block: Json, references: Mapping[str, str], where: str) -> dict[str, Json]:
    attributes, blocks = block.get("attributes", {}), block.get("block_types", {})
    body: dict[str, Json] = {}
    for key, given in inputs.items():
        if key.startswith("__"):
            continue
        value = given["plaintext"] if isinstance(given, dict) and SECRET in given else given
        value = json.loads(value) if value is not given else value
        plain = re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
        name = next((n for n in (plain, plain.removesuffix("s")) if n in attributes or n in blocks), None)
        if name is None:
            msg = f"{where} has no property {key}"
            raise TranslationError(msg)
        if name in blocks:
            parts = value if isinstance(value, list) else [value]
            body[name] = [_body(part, blocks[name]["block"], references, f"{where}.{name}") for part in parts]
        else:
            kind = attributes[name]["type"]
            # In Pulumi, a list that can contain only one value is that value.
            wrapped = isinstance(kind, list) and kind[0] in ("list", "set") and not isinstance(value, list)
            body[name] = _referred([value] if wrapped else value, references)
    return body


def _referred(value: Json, references: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        # `${` begins an expression in Terraform.
        return references.get(value, value.replace("${", "$${").replace("%{", "%%{"))
    if isinstance(value, list):
        return [_referred(item, references) for item in value]
    if isinstance(value, dict):
        return {key: _referred(item, references) for key, item in value.items()}
    return value
