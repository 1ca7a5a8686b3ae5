"""The text of a new stack file: the layout's data, the cloud's names, and comments."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from idr import checkout
from model import yaml_text
from model.reading import own_values
from model.release_settings import Flavor

OFFICIAL = "full"
"""The layout of the IDR as it ran at EBI."""


@dataclass(frozen=True)
class Choices:
    """The choices for a new stack. `flavors` maps the layout's names to the cloud's."""

    stack: str
    layout: str
    provider: Mapping[str, str]
    image: str
    omero_image: str
    external_network: str
    operators: tuple[str, ...]
    flavors: Mapping[str, str]
    cloud_flavors: Mapping[str, Flavor]


def layouts() -> dict[str, Path]:
    """Return the file of each layout in the checkout. Raises NoCheckoutError."""
    folder = checkout.folder()
    examples = sorted((folder / "examples").glob("Pulumi.*.yaml"))
    return {OFFICIAL: folder / "Pulumi.ebi.yaml", **{file.name.split(".")[1]: file for file in examples}}


def layout_values(layout: str) -> dict[str, Any]:
    """Return the values under `idr:` of a layout's file, without that prefix."""
    return own_values(yaml.safe_load(layouts()[layout].read_text())["config"])


def layout_flavors(layout: str) -> dict[str, Flavor]:
    """Return the flavors of a layout."""
    return {name: Flavor.model_validate(about) for name, about in layout_values(layout)["flavors"].items()}


def compose(choices: Choices) -> str:
    """Return the text of the stack file without the stack's secret, which Pulumi adds encrypted."""
    values = layout_values(choices.layout)
    used = {cloud_name: choices.cloud_flavors[cloud_name] for cloud_name in choices.flavors.values()}
    bastion = {**values["bastion"], "flavor": choices.flavors[values["bastion"]["flavor"]]}
    lines = [
        "# yaml-language-server: $schema=docs/settings.schema.json",
        f"# The IDR as stack '{choices.stack}', layout '{choices.layout}'. From `idr init`; change it as you need.",
        "# docs/settings.md describes every key. Pulumi adds the stack secret, encrypted.",
        "config:",
        "  # The cloud. Credentials come from clouds.yaml or from OS_* (an openrc file), never from this file.",
        *(f"  openstack:{key}: {_flow(value)}" for key, value in choices.provider.items()),
        "  # Debian 12 for every node, Ubuntu 24.04 for those of OMERO's official distribution.",
        f"  idr:image: {_flow(choices.image)}",
        f"  idr:omeroImage: {_flow(choices.omero_image)}",
        "  # The network of the two floating IPs, for visitors and for operators.",
        f"  idr:externalNetwork: {_flow(choices.external_network)}",
        "  # Add idr:hostName, and idr:certificate or idr:acme for a certificate that browsers trust: docs/guide.md.",
        "  # Public ssh keys of those who may log in.",
        "  idr:operators:",
        *(f"    - {_flow(key)}" for key in choices.operators),
        *_visitors(values),
        "  # OPERATOR: run `bin/idr pin`. It writes `sha256:` below each url; no `up` without them.",
        "  idr:omero:",
        *_block(layout_values(OFFICIAL)["omero"], 4),
        "  # These flavors of the cloud. Memory and numbers of workers follow from them.",
        "  idr:flavors:",
        *(f"    {_flow(n)}: {_flow(f.model_dump(by_alias=True))}" for n, f in used.items()),
        "  # Operators log in through it. Networks are /24 or larger and must not overlap what this cloud routes.",
        "  idr:bastion:",
        *_block(bastion, 4),
        "  # The release that the public address leads to.",
        f"  idr:live: {values['live']}",
        "  idr:releases:",
    ]
    for name, release in values["releases"].items():
        lines += [f"    {name}:", f"      cidr: {release['cidr']}", "      nodes:"]
        for node, about in release["nodes"].items():
            lines.append(f"        {node}: {_flow({**about, 'flavor': choices.flavors[about['flavor']]})}")
    return "\n".join(lines) + "\n"


def _visitors(values: Mapping[str, Any]) -> list[str]:
    """Return the lines about visitors, unless the layout is public."""
    if "visitors" not in values:
        return []
    return [
        "  # Users log in. Their accounts: docs/guide.md, a private OMERO.",
        f"  idr:visitors: {values['visitors']}",
    ]


class _Dumper(yaml.SafeDumper):
    """Quotes texts that the engine would read as numbers, such as `1e3` and `08`; PyYAML does not."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if yaml_text.is_text(text) else "'")


_Dumper.add_representer(str, _text)


def _flow(value: Any) -> str:
    """Format a value on one line."""
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _block(value: Any, indent: int) -> list[str]:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10_000)
    return [" " * indent + line for line in text.splitlines()]
