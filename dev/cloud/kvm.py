"""Check whether KVM works here, by booting a Linux kernel.

Neither /dev/kvm nor a virtual machine that runs a few instructions proves it: with incomplete nested virtualisation
(PVM), 16-bit code and the BIOS run, and Linux stops after its first line.
"""

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

from dev.image.cache import cache_root

_SECONDS = 20


def _kernels() -> Iterator[Path]:
    """Return kernels to boot: the guest image's newest, else this machine's."""
    # Not the folder of a running build, whose name begins with a dot.
    built = cache_root().glob("image/[!.]*/vmlinuz")
    yield from sorted(built, key=lambda path: path.parent.stat().st_mtime, reverse=True)
    yield Path(f"/boot/vmlinuz-{platform.release()}")
    yield from sorted(Path("/boot").glob("vmlinuz-*"))


def works() -> tuple[bool, str]:
    """Return whether KVM works, and the reason if not."""
    device = Path("/dev/kvm")
    if not (device.exists() and os.access(device, os.R_OK | os.W_OK)):
        return False, "there is no usable /dev/kvm"
    kernel = next((path for path in _kernels() if path.is_file()), None)
    if kernel is None:
        return False, "/dev/kvm is there, but no Linux kernel to try it with"
    argv = [
        *("qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-display", "none"),
        *("-no-reboot", "-serial", "stdio", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"),
    ]
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False)
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    except OSError as error:
        return False, str(error)
    # The kernel boots until it looks for its root file system, which does not exist.
    if b"Linux version" in output and b"Kernel panic" in output:
        return True, "KVM boots a kernel"
    return False, "/dev/kvm is there, but a kernel does not boot with it"
