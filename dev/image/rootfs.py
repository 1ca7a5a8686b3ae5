"""The root file system: mmdebstrap with the host's package sources, then one ext4 file."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from dev.image.cache import BuildError, build_once, cache_root, files_below, key_of
from dev.image.progress import run, say
from dev.image.sources import SUITE, source_lines, transport_options
from dev.image.wheels import LOCKS, ROOT, ice_wheel, wheelhouse

HERE = Path(__file__).parent
DEMO = ROOT / "dev/demo"
OVERLAY = HERE / "overlay"
BOOT = (HERE / "boot.sh", HERE / "initrd-init")
IMAGE_BYTES = 3 * 2**30  # apparent size, what a guest sees before Nova grows its disk; the file is sparse
# A smaller root is copied faster at every spawn. PostgreSQL's compiler for queries is a quarter of the whole, and
# it does without where the library is not there (its documentation: "If JIT is not available, it is not used").
UNWANTED = (
    *(f"/usr/share/{name}/*" for name in ("man", "doc", "locale", "info")),
    "/usr/lib/postgresql/15/lib/llvmjit*",
    "/usr/lib/postgresql/15/lib/bitcode/*",
    "/usr/lib/*/libLLVM-14*",
    "/usr/lib/*/libz3.so*",
)


def image_folder() -> Path:
    """Where the image for the present inputs is, or will be once built."""
    return cache_root() / "image" / image_key()


def image_key() -> str:
    """Key of everything the image is made from, but for the Debian packages' versions."""
    inputs = [
        HERE / "guest-packages.txt",
        HERE / "customize.sh",
        HERE / "accounts.sh",
        *BOOT,
        Path(__file__),
        *files_below(OVERLAY),
    ]
    inputs += [HERE / "wheels.py", *LOCKS, *demo_sources()]
    return key_of(inputs, SUITE)


def demo_sources() -> list[Path]:
    """Files of the demo image server that go into the guest."""
    package = files_below(DEMO / "demo_image_server")
    return [*package, DEMO / "demo-image-server", DEMO / "omero-demo-image-server.service"]


def build() -> Path:
    """Build the image where it is not cached, and return its folder."""
    if os.geteuid() != 0:
        raise BuildError("building the guest image needs root: it makes files of other owners and a chroot")
    return build_once(image_folder(), _build)


def guest_packages() -> list[str]:
    """Names in guest-packages.txt, comments left out."""
    lines = (HERE / "guest-packages.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _build(folder: Path) -> None:
    root, log = folder / "root", folder / "build.log"
    # dpkg uses one core and the compiler all others. The hook of mmdebstrap waits for the wheels.
    with ThreadPoolExecutor() as pool:
        debian = pool.submit(run, "installing Debian in a folder", _mmdebstrap(root), log)
        stages: list[Future[Path] | Future[None]] = [pool.submit(wheelhouse), pool.submit(ice_wheel), debian]
    for stage in stages:
        stage.result()
    run("making the initial RAM disk", [*BOOT, root, folder], log)
    _write_manifest(root, folder)
    disk = folder / "rootfs.raw"
    with disk.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    # No lazy initialisation: a guest must not spend its first minutes writing inode tables (a new sparse file
    # reads as zeroes, so nothing needs writing here either). Few inodes and a small journal keep it small.
    options = ["-i", "32768", "-J", "size=16", "-m", "1", "-E", "lazy_itable_init=0"]
    ext4: list[str | Path] = ["mkfs.ext4", "-q", "-L", "root", *options, "-d", root, disk]
    run("filling the disk", ext4, log)
    shutil.rmtree(root)
    used = disk.stat().st_blocks * 512 // 2**20
    say(f"{disk.name}: {used} MiB used of {disk.stat().st_size // 2**20}")


def customize(root: Path) -> None:
    """Turn a freshly unpacked Debian into the guest, once its wheels are built. Raises BuildError."""
    script = HERE / "customize.sh"
    if subprocess.run([script, root, OVERLAY, wheelhouse(), ice_wheel(), *LOCKS, DEMO], check=False).returncode:
        raise BuildError(f"{script.name} failed")


def _mmdebstrap(root: Path) -> list[str | Path]:
    hook = f'PYTHONPATH={ROOT} {sys.executable} -m dev.image customize "$1"'
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(guest_packages())}",
        *(f"--dpkgopt=path-exclude={path}" for path in UNWANTED),
        "--dpkgopt=force-unsafe-io",
        # boot.sh makes the initial RAM disk; without this the kernel's package would make another, of 30 MB.
        """--essential-hook=printf 'do_initrd = no\\ndo_symlinks = no\\n' > "$1/etc/kernel-img.conf\"""",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--aptopt={option}" for option in transport_options()),
        f"--customize-hook={hook}",
        SUITE,
        root,
        *source_lines(),
    ]


def _write_manifest(root: Path, folder: Path) -> None:
    """Say in manifest.json which packages and versions the image holds, and how large its parts are."""
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package}=${Version}\\n"]
    packages = subprocess.run(query, check=True, capture_output=True, text=True).stdout.split()
    python = {
        venv.parts[-2]: sorted(p.stem for p in venv.glob("lib/python3.11/site-packages/*.dist-info"))
        for venv in sorted((root / "opt/omero").glob("*/venv3"))
    }
    usage = subprocess.run(["du", "-sm", root], check=True, capture_output=True, text=True).stdout.split()
    manifest = {"mebibytes": int(usage[0]), "packages": packages, "python": python}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
