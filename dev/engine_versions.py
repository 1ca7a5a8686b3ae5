"""Set versions of the toolchain: `python -m dev.engine_versions pulumi==3.260.0 ...` (`make upgrade-engine`).

PACKAGES are Python packages, with versions in pyproject.toml. MODULES are the Go modules from which engine and plugins
are built, with versions in dev/toolchain/go.mod. `go.sum` and the lock files are renewed.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from dev import lock_files

ROOT: Final = Path(__file__).resolve().parent.parent
TOOLCHAIN: Final = ROOT / "dev" / "toolchain"
PACKAGES: Final = ("pulumi", "pulumi-openstack", "pulumi-command")
ENGINE_MODULE: Final = "github.com/pulumi/pulumi/pkg/v3"
MODULES: Final = {
    "pulumi": (ENGINE_MODULE, "github.com/pulumi/pulumi/sdk/v3"),
    "pulumi-terraform-bridge": ("github.com/pulumi/pulumi-terraform-bridge/v3",),
    "pulumi-go-provider": ("github.com/pulumi/pulumi-go-provider",),
    "terraform-provider-openstack": ("github.com/terraform-provider-openstack/terraform-provider-openstack/v3",),
}
PROGRAMS: Final = ("./...", f"{ENGINE_MODULE}/cmd/pulumi")


def parse(arguments: list[str]) -> dict[str, str]:
    """Return the version by name. Raise ValueError with what is wrong and what to write instead."""
    known = sorted({*PACKAGES, *MODULES})
    versions = {}
    for argument in arguments:
        match = re.fullmatch(r"([a-z-]+)==(\d+\.\d+\.\d+)", argument)
        if not match or match[1] not in known:
            msg = f"{argument!r} is not NAME==MAJOR.MINOR.PATCH with one of the names {', '.join(known)}"
            raise ValueError(msg)
        versions[match[1]] = match[2]
    if not versions:
        msg = 'no version given: make upgrade-engine VERSIONS="pulumi==3.260.0"'
        raise ValueError(msg)
    if "pulumi-openstack" in versions and "terraform-provider-openstack" not in versions:
        msg = (
            "pulumi-openstack needs terraform-provider-openstack==VERSION beside it: the one in provider/go.mod of "
            f"github.com/pulumi/pulumi-openstack at v{versions['pulumi-openstack']}"
        )
        raise ValueError(msg)
    return versions


def set_packages(text: str, versions: dict[str, str]) -> str:
    """Return pyproject.toml's text with these versions of the packages."""
    for name in versions.keys() & set(PACKAGES):
        text, count = re.subn(rf'"{name}==[^"]+"', f'"{name}=={versions[name]}"', text)
        if count != 1:
            msg = f"pyproject.toml has {count} requirements {name}==VERSION instead of one"
            raise ValueError(msg)
    return text


def requirements(versions: dict[str, str]) -> list[str]:
    """Return the options by which `go mod edit` requires these versions."""
    return [f"-require={module}@v{versions[name]}" for name in versions.keys() & MODULES for module in MODULES[name]]


def upgrade(versions: dict[str, str]) -> None:
    """Set the versions, and renew go.sum and the lock files."""
    project = ROOT / "pyproject.toml"
    project.write_text(set_packages(project.read_text(), versions))
    if options := requirements(versions):
        print("==> Go modules", flush=True)
        subprocess.run(["go", "mod", "edit", *options], cwd=TOOLCHAIN, check=True)
        # This adds the imports of these programs to go.mod and go.sum. `go mod tidy` would also add those of all tests.
        command = ["go", "list", "-mod=mod", "-deps", *PROGRAMS]
        subprocess.run(command, cwd=TOOLCHAIN, check=True, stdout=subprocess.DEVNULL)
    print("==> Python lock files", flush=True)
    lock_files.renew([], made_from=project.name)


def main() -> int:
    """Set the versions from the command line; return the exit status."""
    try:
        upgrade(parse(sys.argv[1:]))
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"engine_versions: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
