"""Commands behind `make up`, `make down` and `make wipe`."""

import sys
from pathlib import Path

import typer
from rich.console import Console

from dev.cloud.layout import Kind, State
from dev.local import service, stack
from dev.local.steps import ROOT, StepError, python, run, side_by_side, step

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
console = Console(highlight=False)

IMAGE_NAME = "idr-debian-12"


@app.command()
def cloud() -> None:
    """Build toolchain and guest image, and start OpenStack: everything that `pulumi up -s local` needs."""
    side_by_side(toolchain, openstack)
    with step("Stack file: Pulumi.local.yaml"):
        stack.prepare()


def toolchain() -> None:
    """Build Pulumi. This mostly uses the processors."""
    with step("Pulumi: engine, plugins, language host"):
        run([str(ROOT / "dev/toolchain/install")])


def openstack() -> None:
    """Start the cloud and register the guest image. Packages are installed one step after another: apt takes a lock."""
    with step("OpenStack: packages and Python environment"):
        run([python(), "-m", "dev.cloud", "install"])
    with step("Guest image: packages that its build needs"):
        run([python(), "-m", "dev.image", "install"])
    side_by_side(guest_image, start)
    with step("OpenStack: guest image"):
        register_image(Path(run([python(), "-m", "dev.image", "path"], capture=True).strip()))


def guest_image() -> None:
    """Build the guest image."""
    with step("Guest image: Debian 12 with every role's packages"):
        run([python(), "-m", "dev.image", "build"])


def start() -> None:
    """Start the cloud."""
    with step("OpenStack: start"):
        run([python(), "-m", "dev.cloud", "up", "--fake", "2"])


def register_image(folder: Path) -> None:
    """Register the guest image in the running cloud, with its kernel if guests are virtual machines."""
    command = [python(), "-m", "dev.cloud", "image", str(folder / "rootfs.raw"), "--name", IMAGE_NAME]
    # Containers do not use a kernel, but Nova would copy it for each of them.
    choice = State.at(None).choice()
    if choice and choice.kind in (Kind.KVM, Kind.QEMU):
        command += ["--kernel", str(folder / "vmlinuz"), "--initrd", str(folder / "initrd")]
    run(command)


@app.command()
def up() -> None:
    """Build everything and start the service. It can be repeated at any time."""
    cloud()
    with step("pulumi up -s local"):
        run(["pulumi", "up", "--stack", "local", "--yes", "--skip-preview"])
    with step("The service answers"):
        release = service.read()
        service.write_ssh_config(release)
        service.wait_until_it_answers(release)
    console.print(service.what_next(release))


@app.command()
def down() -> None:
    """Stop the cloud and its guests. The data stays in .local; `make up` starts them again."""
    with step("OpenStack: stop"):
        run([python(), "-m", "dev.cloud", "down"])


@app.command()
def wipe() -> None:
    """Stop everything and delete the local cloud with all its data, the local stack's state and its secrets."""
    for path in stack.belongings():
        console.print(f"deletes {path.relative_to(ROOT)}")
    if kept := stack.others():
        console.print(f"keeps the state and the passphrase of other stacks: {', '.join(kept)}")
    with step("OpenStack: stop and delete"):
        run([python(), "-m", "dev.cloud", "wipe"])
    with step("Stack: delete state and secrets"):
        stack.forget()


if __name__ == "__main__":
    try:
        app()
    except StepError as error:
        console.print(f"[red]{error}[/red]")
        sys.exit(1)
