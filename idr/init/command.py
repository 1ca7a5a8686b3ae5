"""The command line of `idr init`."""

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idr import checkout, engine
from idr.cli import Stack
from idr.cloud import asking, connect
from idr.errors import IdrError
from idr.init import choose, passphrase
from idr.init.compose import OFFICIAL, Choices, compose, layout_flavors, layouts
from idr.init.sizes import Size, size, sizes
from model import yaml_text
from model.reading import Source, own_values, parse
from model.release_settings import Flavor

if TYPE_CHECKING:
    from openstack.connection import Connection

DEFAULT_KEY = Path("~/.ssh/id_ed25519.pub")


class InitError(IdrError):
    """No stack file was written."""


def _layouts() -> str:
    """Return the layouts and their sizes, for the help text, which `idr` without a checkout shows too."""
    try:
        return "; ".join(map(str, sizes()))
    except checkout.NoCheckoutError:
        return "a layout of the checkout"


def command(
    stack: Stack,
    cloud: Annotated[
        str | None,
        typer.Option(envvar="OS_CLOUD", help="Entry of clouds.yaml; without it, the OS_* variables are used."),
    ] = None,
    layout: Annotated[str, typer.Option(help=f"Which machines: {_layouts()}.")] = OFFICIAL,
    image: Annotated[str | None, typer.Option(help="The cloud's Debian 12 image.")] = None,
    omero_image: Annotated[str | None, typer.Option(help="The cloud's Ubuntu 24.04 image.")] = None,
    external_network: Annotated[str | None, typer.Option(help="The network of the floating IPs.")] = None,
    operator_key: Annotated[
        list[Path] | None, typer.Option(help=f"File with an operator's public ssh key; {DEFAULT_KEY} if not given.")
    ] = None,
    flavor: Annotated[
        list[str] | None,
        typer.Option(metavar="FLAVOR=NAME", help="Use the cloud's flavor NAME for the layout's FLAVOR."),
    ] = None,
) -> None:
    """Write a commented stack file from what the cloud offers, with a stack secret that Pulumi encrypts.

    Without an option, it uses the only image or network that fits, or asks on the terminal if several fit. After a
    mistake, it writes nothing. It never overwrites a file.
    """
    file = checkout.stack_file(stack)
    if file.exists():
        msg = f"{file.name} exists already; it is not overwritten"
        raise InitError(msg)
    if layout not in layouts():
        raise typer.BadParameter(f"--layout '{layout}' is none of {', '.join(layouts())}")
    flavor_options = _pairs(flavor or [])
    keys = _keys(operator_key or [DEFAULT_KEY])
    connection = asking(lambda: connect(lambda name: cloud if name == "cloud" else None))
    prompt = _prompt if _at_a_terminal() else choose.refuse_to_prompt
    images, networks, cloud_flavors = asking(lambda: _offer(connection))
    choices = Choices(
        stack=stack,
        layout=layout,
        provider={"cloud": cloud} if cloud else {"authUrl": _auth_url()},
        external_network=choose.name(choose.EXTERNAL_NETWORK, external_network, networks, prompt),
        image=choose.name(choose.IMAGE, image, images, prompt),
        omero_image=choose.name(choose.OMERO_IMAGE, omero_image, images, prompt),
        operators=keys,
        flavors=choose.flavors(layout_flavors(layout), flavor_options, cloud_flavors),
        cloud_flavors=cloud_flavors,
    )
    text = compose(choices)
    _must_be_valid(text, stack, file.name)
    kept = passphrase.ensure(stack)
    _write(file, text, stack)
    chosen = {name: cloud_flavors[cloud_name] for name, cloud_name in choices.flavors.items()}
    for line in _too_large(size(layout, chosen), asking(lambda: _free(connection))):
        typer.echo(line)
    typer.echo(_next_steps(file, stack, kept))


def _free(cloud: "Connection") -> dict[str, float]:
    """Return the free part of the project's compute quotas; empty if the cloud does not report them."""
    from openstack.exceptions import SDKException

    try:
        limits = cloud.compute.get_limits().absolute
    except SDKException:
        return {}
    quotas = {
        "instances": (limits.instances, limits.instances_used),
        "cores": (limits.total_cores, limits.total_cores_used),
        "ram (MiB)": (limits.total_ram, limits.total_ram_used),
    }
    return {name: limit - (used or 0) for name, (limit, used) in quotas.items() if limit is not None and limit >= 0}


def _too_large(needed: Size, free: dict[str, float]) -> list[str]:
    """Return what the project lacks for the layout with the chosen flavors, and the layouts that fit."""
    lacking = needed.shortfalls(free)
    if not lacking:
        return []
    fitting = ", ".join(str(one) for one in sizes() if not one.shortfalls(free))
    return [
        f"This project is too small for the layout {needed.layout}: {'; '.join(lacking)}.",
        f"It has room for: {fitting}." if fitting else "Ask for a larger quota, or name smaller flavors with --flavor.",
    ]


def _next_steps(file: Path, stack: str, kept: Path | None) -> str:
    lines = [f"{file.name} is written. The stack's secret is in it, encrypted."]
    if kept:
        lines.append(
            f"The passphrase that opens it is in {kept}. Keep a copy: without it nobody can change this stack."
        )
    else:
        lines.append(
            f"The passphrase of {passphrase.variable()} opens it: keep a copy, whatever other stacks it also opens."
        )
    lines += ["Next:", *([f"  export PULUMI_CONFIG_PASSPHRASE_FILE={kept}"] if kept else [])]
    lines += [
        f"  export PULUMI_STACK={stack}",
        "  bin/idr pin                # the SHA-256 sums of OMERO's archives; needs the internet",
        f"  git add {file.name}; git commit -m 'Add the stack {stack}'",
        "  bin/idr check              # whether the cloud has room for it",
        "  pulumi up",
    ]
    return "\n".join(lines)


def _offer(cloud: "Connection") -> tuple[set[str], set[str], dict[str, Flavor]]:
    """Return the names of images and external networks, and the flavors."""
    return (
        {image.name for image in cloud.image.images() if image.name},
        {network.name for network in cloud.network.networks(is_router_external=True) if network.name},
        {f.name: Flavor(vcpus=f.vcpus, memory_mib=f.ram) for f in cloud.compute.flavors()},
    )


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _prompt(option: str, candidates: list[str], why: str) -> str:
    typer.echo(f"{why}:")
    for number, name in enumerate(candidates, 1):
        typer.echo(f"  {number}  {name}")
    while True:
        picked: int = typer.prompt(f"Which {option.replace('-', ' ')}? Number", type=int)
        if 1 <= picked <= len(candidates):
            return candidates[picked - 1]


def _pairs(options: list[str]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in options)
    if not all(pairs) or not all(pairs.values()):
        raise typer.BadParameter("--flavor is FLAVOR=NAME, as in m1.large=standard.8")
    return pairs


def _keys(files: list[Path]) -> tuple[str, ...]:
    return tuple(_key(file) for file in files)


def _key(file: Path) -> str:
    """Read a public key. A private one is refused and never shown: terminals' output is often stored or shared."""
    try:
        text = file.expanduser().read_text().strip()
    except OSError as error:
        hint = f"; `ssh-keygen -t ed25519` makes {DEFAULT_KEY}" if file == DEFAULT_KEY else ""
        msg = f"--operator-key {error.filename}: {error.strerror}: give the file with your public ssh key{hint}"
        raise InitError(msg) from None
    except UnicodeDecodeError:
        msg = f"--operator-key {file}: is not a public key file"
        raise InitError(msg) from None
    if "PRIVATE KEY" in text or text.startswith("PuTTY-User-Key-File"):
        msg = f"--operator-key {file}: is a private key; give the file with its public key, as in {file}.pub"
        raise InitError(msg)
    return text


def _auth_url() -> str:
    url = os.environ.get("OS_AUTH_URL")
    if not url:
        msg = "say which cloud: --cloud with an entry of clouds.yaml, or the OS_* variables of an openrc file"
        raise InitError(msg)
    return url


def _must_be_valid(text: str, stack: str, name: str) -> None:
    """Check the text, before anything is written. Raises SettingsError."""
    parse(own_values(yaml_text.load(text.encode())["config"]), Source(stack, name))


def _write(file: Path, text: str, stack: str) -> None:
    """Write the file with the stack's secret, or nothing."""
    with file.open("x") as new:
        new.write(text)
    try:
        engine.run("stack", "select", "--create", "--stack", stack)
        # On standard input: command lines are visible in the process list.
        engine.run("config", "set", "--secret", "idr:stackSecret", "--stack", stack, text_input=secrets.token_hex(32))
    except IdrError:
        file.unlink()
        raise
