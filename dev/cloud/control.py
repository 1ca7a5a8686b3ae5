"""Start, connect, enter and end the cloud's namespaces, from outside."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dev import debian
from dev.cloud import kvm, layout, lock, machine, namespace, render
from dev.cloud.layout import Choice, Kind, State
from dev.cloud.process import CloudError, surroundings

Report = Callable[[str], None]
_STOP_SECONDS = 90


def holder() -> tuple[State, int] | None:
    """Return the state folder of the cloud that runs on this machine, and its PID 1.

    Raises CloudError if the lock is not root's.
    """
    try:
        folder, pid = (lock.holder() or "").rsplit(" ", 1)
        return State(Path(folder)), int(pid)
    except ValueError:  # nobody holds it, or its holder has not written yet
        return None


def running(state: State) -> int | None:
    """Return the PID 1 of this state's cloud, as the machine's process id; None if it is down."""
    current = holder()
    return current[1] if current and current[0] == state else None


def choose(requested: Kind | None, fakes: int | None, before: Choice | None) -> tuple[Choice, str]:
    """Choose the computes to start, with the reason: those requested, else the last ones, else containers or KVM.

    Raises CloudError if real guests of another kind exist in this state.
    """
    count = fakes if fakes is not None else before.fakes if before else 0
    if requested is not None:
        kind, why = requested, "as requested"
    elif before and before.kind is not Kind.NONE:
        kind, why = before.kind, "as before"
    else:
        works, why = kvm.works()
        kind = Kind.KVM if works else Kind.CONTAINER
    if before and Kind.NONE not in (before.kind, kind) and kind is not before.kind:
        raise CloudError(f"this cloud's guests are of kind {before.kind}: `wipe` it first to have {kind}")
    return Choice(kind, count), why


def start(state: State, choice: Choice) -> None:
    """Start the cloud. Return when its PID 1 runs, long before it is ready.

    Raises CloudError if another cloud is up, or its addresses are in use.
    """
    held = lock.take()
    if held is None:
        other = holder()
        raise CloudError(f"one cloud per machine, and one is up: its state is {other[0].root if other else '?'}")
    try:
        conflict = machine.address_conflict()
        if conflict:
            raise CloudError(f"{layout.EXTERNAL} must be free on this machine, and there is {conflict}")
        clean(state)
        shutil.rmtree(state.root / "run", ignore_errors=True)
        state.save_choice(choice)
        render.write(state, choice, layout.environment() / "venv")
        pid = _spawn(state, held)
        lock.write(held, f"{state.root} {pid}")
    finally:
        os.close(held)  # PID 1 has its own copy, so it holds the lock until it ends


def _spawn(state: State, held: int) -> int:
    """Start PID 1 in new namespaces, where it waits for its network; return its process id."""
    link, inner = layout.HOST_LINK, layout.CLOUD_LINK
    argv = [
        *("unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"),
        *("/bin/sh", "-c", f'until ip link show {inner} >/dev/null 2>&1; do sleep .05; done; exec "$@"', "sh"),
        *(sys.executable, "-m", "dev.cloud.init", str(state.root)),
    ]
    with (state.log / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            env=surroundings(state) | {"PYTHONPATH": str(layout.CHECKOUT)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[held],
            start_new_session=True,  # it continues when the shell that started it ends
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (pids := children.read_text().split()):
        if process.poll() is not None:
            raise CloudError(f"the namespaces could not be made, see {state.log}/supervisor.log")
        time.sleep(0.02)
    pid = int(pids[0])
    for command in (
        f"ip link add {link} type veth peer name {inner}",
        f"ip addr add {layout.HOST_ADDRESS}/{layout.EXTERNAL.prefixlen} dev {link}",
        f"ip link set {inner} netns {pid}",
        f"ip link set {link} up",
    ):
        done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        if done.returncode:
            os.kill(pid, signal.SIGKILL)
            raise CloudError(f"{command}: {done.stderr.strip()}")
    return pid


def follow(state: State, pid: int) -> Iterator[str]:
    """Yield the cloud's messages until it is ready.

    Raises CloudError if it failed.
    """
    progress, shown = state.run / "progress", 0
    while True:
        ready, alive = (state.run / "ready").exists(), Path(f"/proc/{pid}").exists()
        lines = progress.read_text().splitlines() if progress.exists() else []
        yield from lines[shown:]
        shown = len(lines)
        if ready:
            return
        if not alive:
            failed = state.run / "failed"
            clean(state)
            raise CloudError(failed.read_text() if failed.exists() else f"it ended, see {state.log}/supervisor.log")
        time.sleep(0.2)


# A prefix of commands: the process ends with its parent.
_MORTAL = ("setpriv", "--pdeathsig", "KILL")


def mortal(state: State, argv: Sequence[str]) -> list[str]:
    """Return a command line like `enter`. The command and its children are killed when this process ends."""
    return [*_MORTAL, *enter(state, [*_MORTAL, *argv])]


def enter(state: State, argv: Sequence[str], *, admin: bool = True) -> list[str]:
    """Return the command line that runs `argv` inside the cloud.

    Raises CloudError if it is not up.
    """
    pid = running(state)
    if pid is None:
        raise CloudError("the cloud is not up")
    variables = surroundings(state) | ({} if admin else {"OS_CLOUD": "idr-local"})
    settings = [f"{name}={value}" for name, value in variables.items()]
    # The working folder stays the caller's.
    return ["nsenter", "-t", str(pid), "-n", "-m", "-p", "-u", f"--wd={Path.cwd()}", "env", "-i", *settings, *argv]


def stop(state: State) -> bool:
    """Stop the cloud and clean up. Return whether it was up."""
    pid = running(state)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        while Path(f"/proc/{pid}").exists():
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    clean(state)
    return pid is not None


def clean(state: State) -> None:
    """Remove what the kernel does not remove when the namespaces end."""
    loops = namespace.guest_loops(state)
    for loop in loops:
        subprocess.run(["losetup", "-d", loop], check=False, capture_output=True)
    shown = subprocess.run(
        ["losetup", "-n", "-O", "NAME", "-j", str(state.disk_file)], capture_output=True, text=True, check=False
    )
    for loop in shown.stdout.split():
        subprocess.run(["losetup", "-d", loop], check=False, capture_output=True)
    if Path(f"/sys/class/net/{layout.HOST_LINK}").exists() and holder() is None:
        subprocess.run(["ip", "link", "del", layout.HOST_LINK], check=False, capture_output=True)
    for group in Path("/sys/fs/cgroup").glob("**/machine"):
        for folder in sorted(group.glob("**/"), reverse=True):
            _remove_group(folder)


def _remove_group(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # it has another guest
        return


def wipe(state: State, report: Report) -> None:
    """Stop the cloud and delete its data and the services that were installed for it.

    Raises CloudError if apt cannot remove their packages; the cloud's data still exists.
    """
    stop(state)
    try:
        debian.remove_services(state.packages(), report)
    except debian.PackageError as error:
        raise CloudError(str(error)) from None
    shutil.rmtree(state.root, ignore_errors=True)
