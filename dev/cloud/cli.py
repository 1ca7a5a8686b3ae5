"""The command line."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dev.cloud import control, layout
from dev.cloud.install import install as install_everything
from dev.cloud.install import ready as installed
from dev.cloud.layout import Kind, State
from dev.cloud.process import CloudError

app = typer.Typer(
    help="A real OpenStack 2024.2 in namespaces of this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_ENTERING = {"ignore_unknown_options": True, "allow_interspersed_args": False}
_state: State


def main(
    state: Annotated[Path | None, typer.Option(help="The cloud's folder; .local/cloud of this checkout.")] = None,
) -> None:
    """Set the cloud's folder."""
    global _state
    _state = State.at(state)


app.callback()(main)


@contextmanager
def _errors_shown() -> Iterator[None]:
    """Print expected errors in one or two lines, and exit with 1."""
    try:
        yield
    except (CloudError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _print(text: str) -> None:
    typer.echo(text)


def _root() -> None:
    if os.geteuid() != 0:
        raise CloudError("run it as root: it creates namespaces, bridges and mounts")


@app.command()
def install() -> None:
    """Install Debian packages and OpenStack, once per machine."""
    with _errors_shown():
        start = time.monotonic()
        install_everything(_state.root, _print)
        _print(f"installed ({time.monotonic() - start:.0f} s)")


@app.command()
def up(
    computes: Annotated[str | None, typer.Option(help="auto, container, kvm, qemu or none.")] = None,
    fake: Annotated[int | None, typer.Option(min=0, max=20, help="Fake hosts, in availability zone `fake`.")] = None,
) -> None:
    """Start the cloud, with the guests that ran before; ends when it can be used."""
    requested = None if computes in (None, "auto") else computes
    if requested is not None and requested not in set(Kind):
        raise typer.BadParameter(f"{computes} is none of auto, {', '.join(Kind)}", param_hint="--computes")
    with _errors_shown():
        _root()
        pid = control.running(_state)
        if pid is None:
            if not installed():
                install_everything(_state.root, _print)
            choice, why = control.choose(Kind(requested) if requested else None, fake, _state.choice())
            _print(f"real guests: {choice.kind} ({why}); fake hosts: {choice.fakes}; state: {_state.root}")
            if choice.kind is Kind.CONTAINER:
                _print("note: a container guest shares this machine's kernel and is no security boundary")
            control.start(_state, choice)
            pid = control.running(_state)
        elif (_state.run / "ready").exists():
            _print("it is up already: nothing to do")
        if not (_state.run / "ready").exists():
            for line in control.follow(_state, pid or 0):
                _print(line)
        _print(f"up: {layout.URLS['keystone']}, OS_CLIENT_CONFIG_FILE={_state.clouds_yaml} OS_CLOUD=idr-local")


@app.command()
def down() -> None:
    """Stop everything; data stays."""
    with _errors_shown():
        _root()
        start = time.monotonic()
        was_up = control.stop(_state)
        _print(f"down ({time.monotonic() - start:.0f} s)" if was_up else "it was not up")


@app.command()
def wipe() -> None:
    """Stop everything and delete the cloud's data."""
    with _errors_shown():
        _root()
        control.wipe(_state, _print)
        _print(f"{_state.root} is deleted")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Print whether each part works; exit code 1 when one does not."""
    from dev.cloud import status as look

    with _errors_shown():
        parts = look.parts(_state)
    if as_json:
        _print(look.as_json(parts))
    else:
        for part in parts:
            _print(f"{'ok  ' if part.works else 'DOWN'} {part.name}  {part.note}".rstrip())
    raise typer.Exit(0 if all(part.works for part in parts) else 1)


@app.command()
def env() -> None:
    """Print environment variables for a shell that uses the cloud: eval "$(... env)"."""
    _print(f"export OS_CLIENT_CONFIG_FILE={_state.clouds_yaml} OS_CLOUD=idr-local")
    if any(os.environ.get(name) for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")):
        for name in ("no_proxy", "NO_PROXY"):
            _print(f'export {name}="{layout.ADDRESS}${{{name}:+,${name}}}"')


@app.command(context_settings=_ENTERING, name="exec")
def execute(command: Annotated[list[str], typer.Argument(help="The program and its arguments.")]) -> None:
    """Run a program inside the cloud's namespaces, as its administrator."""
    with _errors_shown():
        _root()
        argv = control.enter(_state, command)
        sys.stdout.flush()
        os.execvp(argv[0], argv)  # noqa: S606  what the user asked to run


@app.command()
def shell() -> None:
    """Open a shell inside the cloud's namespaces, as its administrator."""
    execute(["bash"])


@app.command(context_settings=_ENTERING)
def console(
    name: Annotated[str, typer.Argument(help="The server's name or identifier.")],
    command: Annotated[list[str] | None, typer.Argument(help="A program; else a shell.")] = None,
) -> None:
    """Open a shell in a guest as its root, without network or ssh (containers), or its serial console (QEMU, KVM)."""
    from dev.cloud import guest

    with _errors_shown():
        _root()
        argv = control.enter(_state, guest.enter(_state, name, command or ["bash", "-l"]))
        os.execvp(argv[0], argv)  # noqa: S606  what the user asked to run


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="A service's name; none: the list of them.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing.")] = False,
    lines: Annotated[int, typer.Option("-n", help="How many lines from the end.")] = 100,
) -> None:
    """Print the end of a service's log."""
    files = {path.stem: path for path in sorted(_state.log.glob("*.log"))}
    if service is None:
        for name, path in files.items():
            _print(f"{path.stat().st_size >> 10:8d} KiB  {name}")
        return
    if service not in files:
        typer.echo(f"error: no log of {service}; `logs` lists them", err=True)
        raise typer.Exit(1)
    argv = ["tail", "-n", str(lines), *(["-f"] if follow else []), str(files[service])]
    raise typer.Exit(subprocess.run(argv, check=False).returncode)


@app.command()
def image(
    path: Annotated[Path, typer.Argument(help="The raw disk.")],
    name: Annotated[str, typer.Option(help="The image's name in Glance.")],
    kernel: Annotated[Path | None, typer.Option(help="Its kernel, for QEMU and KVM.")] = None,
    initrd: Annotated[Path | None, typer.Option(help="Its initial RAM disk, for QEMU and KVM.")] = None,
) -> None:
    """Register a public guest image. One of the same name and content is kept, an older one is deleted."""
    from dev.cloud.image import register

    with _errors_shown():
        _root()
        if control.running(_state) is None:
            raise CloudError("the cloud is not up")
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(_state.clouds_yaml)
        start = time.monotonic()
        done = register(_state, path, name, kernel, initrd)
        _print(f"{done} ({time.monotonic() - start:.1f} s)")
