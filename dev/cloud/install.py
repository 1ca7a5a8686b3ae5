"""Install the cloud's software: Debian packages, and OpenStack in a Python environment of its own."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dev import debian
from dev.cloud import layout
from dev.cloud.layout import State
from dev.cloud.machine import Machine, missing_kernel_features
from dev.cloud.process import CloudError

Report = Callable[[str], None]

# Nova loads drivers only from its own package, Neutron only by registered names. With these files both load them from
# plugins/ of the checkout from which the cloud is started.
_POINTERS = {
    "nova/virt/idr_container.py": "from idr_openstack.nova_container import ContainerDriver\n",
    "nova/virt/idr_fake.py": "from idr_openstack.nova_fake import FakeHost\n",
    "idr_openstack-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: idr-openstack\nVersion: 1\n",
    "idr_openstack-1.dist-info/entry_points.txt": (
        "[neutron.ml2.mechanism_drivers]\nidr_fake_host = idr_openstack.neutron_fake:FakeHostDriver\n"
    ),
}


def install(state_folder: Path, report: Report) -> None:
    """Install what is missing; a second call only checks.

    Raises CloudError if the machine is not suitable, or a package manager failed.
    """
    problems = Machine.this(state_folder).problems()
    if problems:
        raise CloudError("; ".join(problems))
    _packages(State(state_folder), report)
    lacking = missing_kernel_features()
    if lacking:
        raise CloudError(f"the kernel lacks {', '.join(lacking)}")
    _openstack(report)


def required_packages() -> list[str]:
    """Return the Debian packages."""
    return debian.read_list(layout.HERE / "apt-packages.txt")


def missing_packages() -> list[str]:
    """Return the packages that are not installed."""
    return debian.missing(required_packages())


def _packages(state: State, report: Report) -> None:
    try:
        installed = debian.ensure(required_packages(), report)
    except debian.PackageError as error:
        raise CloudError(str(error)) from None
    if installed:
        state.add_packages(installed)


def _openstack(report: Report) -> None:
    folder = layout.environment()
    python = folder / "venv" / "bin" / "python"
    if not (folder / "complete").exists():
        # In its final folder: programs of an environment contain its path.
        report("installing OpenStack 2024.2 from its lock file (one to five minutes)")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        lock = str(layout.HERE / "requirements.lock")
        _run([sys.executable, "-m", "venv", str(folder / "venv")])
        uv = _uv()
        if uv:
            _run([uv, "pip", "sync", "-q", "--require-hashes", "--python", str(python), lock])
        else:
            _run([str(python), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", lock])
    site = next((folder / "venv" / "lib").glob("python3*")) / "site-packages"
    for name, text in _POINTERS.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text)
    (folder / "complete").touch()


def _uv() -> str | None:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.exists() else shutil.which("uv")


def _run(argv: Sequence[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        last = " / ".join(done.stdout.decode(errors="replace").strip().splitlines()[-3:])
        raise CloudError(f"{' '.join(argv[:2])} failed: {last}")


def ready() -> bool:
    """Return whether everything is installed (a quick check)."""
    return (layout.environment() / "complete").exists() and not missing_packages()
