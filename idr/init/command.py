"""The command line of `idr init`."""

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml

from idr import engine
from idr.cli import PROJECT, Stack
from idr.cloud import asking, connect
from idr.errors import IdrError
from idr.init import choose
from idr.init.compose import LAYOUTS, OFFICIAL, Choices, compose, layout_flavors
from model.reading import Source, parse
from model.release_settings import Flavor

if TYPE_CHECKING:
    from openstack.connection import Connection

DEFAULT_KEY = Path("~/.ssh/id_ed25519.pub")


class InitError(IdrError):
    """No stack file was written; the text says why."""


def command(
    stack: Stack,
    cloud: Annotated[str | None, typer.Option(help="Entry of clouds.yaml; without it OS_* says which cloud.")] = None,
    layout: Annotated[str, typer.Option(help=f"Which machines: {', '.join(LAYOUTS)}.")] = OFFICIAL,
    image: Annotated[str | None, typer.Option(help="The cloud's Debian 12 image.")] = None,
    omero_image: Annotated[str | None, typer.Option(help="The cloud's Ubuntu 24.04 image.")] = None,
    external_network: Annotated[str | None, typer.Option(help="Where floating addresses come from.")] = None,
    operator_key: Annotated[
        list[Path] | None, typer.Option(help=f"File with an operator's public ssh key; {DEFAULT_KEY} if not given.")
    ] = None,
    flavor: Annotated[
        list[str] | None, typer.Option(metavar="LAYOUT'S=CLOUD'S", help="Use this flavor of the cloud for that.")
    ] = None,
) -> None:
    """A new stack: a commented file from what the cloud offers, and a stack secret that Pulumi encrypts.

    What is not given is found where one thing fits, and asked for on a terminal where several do. A mistake writes
    nothing, and a file that is there is never overwritten.
    """
    file = PROJECT / f"Pulumi.{stack}.yaml"
    if file.exists():
        msg = f"{file.name} is there already; it is not overwritten"
        raise InitError(msg)
    if layout not in LAYOUTS:
        raise typer.BadParameter(f"--layout '{layout}' is none of {', '.join(LAYOUTS)}")
    given_flavors = _pairs(flavor or [])
    keys = _keys(operator_key or [DEFAULT_KEY])
    connection = asking(lambda: connect(lambda name: cloud if name == "cloud" else None))
    ask = _ask if _at_a_terminal() else choose.cannot_ask
    images, networks, there = asking(lambda: _there(connection))
    choices = Choices(
        stack=stack,
        layout=layout,
        provider={"cloud": cloud} if cloud else {"authUrl": _auth_url()},
        external_network=choose.name("external-network", external_network, networks, ask),
        image=choose.name("image", image, images, ask, fitting=r"debian.*12|bookworm"),
        omero_image=choose.name("omero-image", omero_image, images, ask, fitting=r"ubuntu.*24\.?04|noble"),
        operators=keys,
        flavors=choose.flavors(layout_flavors(layout), given_flavors, there),
        there=there,
    )
    text = compose(choices)
    _must_be_valid(text, stack, file.name)
    _write(file, text, stack)
    typer.echo(f"{file.name} is written. Now fill in what it marks OPERATOR, then: bin/idr check -s {stack}")


def _there(cloud: "Connection") -> tuple[set[str], set[str], dict[str, Flavor]]:
    """Names of images and external networks, and the flavors."""
    return (
        {image.name for image in cloud.image.images()},
        {network.name for network in cloud.network.networks(is_router_external=True)},
        {f.name: Flavor(vcpus=f.vcpus, memory_mib=f.ram) for f in cloud.compute.flavors()},
    )


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(option: str, candidates: list[str]) -> str:
    for number, name in enumerate(candidates, 1):
        typer.echo(f"  {number}  {name}")
    while True:
        picked: int = typer.prompt(f"Which {option.replace('-', ' ')}? Number", type=int)
        if 1 <= picked <= len(candidates):
            return candidates[picked - 1]


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in given)
    if not all(pairs) or not all(pairs.values()):
        raise typer.BadParameter("--flavor is LAYOUT'S=CLOUD'S, as in m1.large=standard.8")
    return pairs


def _keys(files: list[Path]) -> tuple[str, ...]:
    try:
        return tuple(file.expanduser().read_text().strip() for file in files)
    except OSError as error:
        msg = f"--operator-key {error.filename}: {error.strerror}"
        raise InitError(msg) from None


def _auth_url() -> str:
    url = os.environ.get("OS_AUTH_URL")
    if not url:
        msg = "say which cloud: --cloud with an entry of clouds.yaml, or OS_AUTH_URL and its kin"
        raise InitError(msg)
    return url


def _must_be_valid(text: str, stack: str, name: str) -> None:
    """Raises SettingsError, before anything is written."""
    config = yaml.safe_load(text)["config"]
    mine = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
    parse(mine, Source(stack, name))


def _write(file: Path, text: str, stack: str) -> None:
    """The file and the stack's secret in it, or neither."""
    with file.open("x") as new:
        new.write(text)
    try:
        engine.run("stack", "select", "--create", "--stack", stack)
        # On standard input: a command line shows in the process list.
        engine.run("config", "set", "--secret", "idr:stackSecret", "--stack", stack, text_input=secrets.token_hex(32))
    except IdrError:
        file.unlink()
        raise
