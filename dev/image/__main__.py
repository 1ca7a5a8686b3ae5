"""`python -m dev.image`: build the guest image of the `local` cloud, or say where it is."""

import sys
from pathlib import Path
from typing import NoReturn

import typer

from dev import debian
from dev.image import rootfs
from dev.image.cache import BuildError
from dev.image.progress import say

app = typer.Typer(
    help="The guest image of the `local` cloud: Debian 12 with everything pre-installed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def fail(message: str) -> NoReturn:
    """End with exit code 1 and a message on standard error."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


@app.command()
def install() -> None:
    """Install the Debian packages that the build needs on this machine."""
    try:
        debian.ensure(debian.read_list(Path(__file__).with_name("packages.txt")), say)
    except debian.PackageError as problem:
        fail(str(problem))


@app.command()
def build() -> None:
    """Build the image unless it is cached; the last line printed is its folder."""
    try:
        typer.echo(rootfs.build())
    except BuildError as problem:
        fail(str(problem))
    except FileNotFoundError as problem:
        fail(f"{problem.filename} is missing; `python -m dev.image install` installs what the build needs")


@app.command()
def customize(root: Path) -> None:
    """Turn a freshly unpacked Debian into the guest; mmdebstrap calls it while it builds the image."""
    try:
        rootfs.customize(root)
    except BuildError as problem:
        fail(str(problem))


@app.command()
def path() -> None:
    """Print the folder of the image; exit code 1 where it is not built."""
    folder = rootfs.image_folder()
    if not folder.is_dir():
        fail("the image is not built; `python -m dev.image build` builds it")
    typer.echo(folder)


@app.command()
def key() -> None:
    """Print the key of the image that the present sources make."""
    typer.echo(rootfs.image_key())


if __name__ == "__main__":
    sys.exit(app())
