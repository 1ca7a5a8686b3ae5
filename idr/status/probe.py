"""Print a node's state as JSON. Runs on the node, as root, from standard input. Standard library only.

Its arguments are packages, or dpkg-query's patterns of them, whose versions it reports.
"""

import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# `idr-apply --status` gives each health test 8 s.
SECONDS = 9
PATCHES_SECONDS = 5
CLOUD_INIT = pathlib.Path("/run/cloud-init")


def output(*command: str, seconds: float = SECONDS) -> str:
    """Return a command's output, with any exit status; empty if it does not exist or does not end in time."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def parsed(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text; None if there is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def bootstrap() -> str:
    """Return the state of `cloud-init status`, without the command, which takes half a second of processor time."""
    result, running = (CLOUD_INIT / name for name in ("result.json", "status.json"))
    if not result.exists():
        return "running" if running.exists() else "unknown"
    outcome = (parsed(result.read_text()) or {}).get("v1", {})
    return "error" if outcome.get("errors") else "done"


def disks() -> list[dict[str, Any]]:
    """Return the root disk and every mounted data volume: bytes, and used per cent."""
    mounts = ["/"]
    volumes = pathlib.Path("/etc/idr/volumes")
    if volumes.exists():
        mounts += [line.split()[1] for line in volumes.read_text().splitlines() if line and not line.startswith("#")]
    usages = []
    for mount in mounts:
        usage = shutil.disk_usage(mount)
        usages.append(
            {"mount": mount, "size": usage.total, "free": usage.free, "percent": percent(usage.used, usage.free)}
        )
    return usages


def percent(used: int, free: int) -> int:
    """Return the used share like df: of the space for users other than root."""
    return round(100 * used / (used + free)) if used + free else 0


def patches() -> dict[str, Any] | None:
    """Return what still runs in the version before an upgrade; None if needrestart is missing or does not answer.

    -b alone changes nothing. Its kernel status is 1 without a newer kernel, 2 and 3 with one.
    """
    # It checks every process: on a busy node the other results must not wait for it.
    report = output("nice", "-n", "19", "needrestart", "-b", seconds=PATCHES_SECONDS)
    if "NEEDRESTART-VER:" not in report:
        return None
    lines = [line.partition(": ")[::2] for line in report.splitlines()]
    newer = any(name == "NEEDRESTART-KSTA" and value in ("2", "3") for name, value in lines)
    return {
        "reboot": newer or pathlib.Path("/run/reboot-required").exists(),
        "services": sorted(value.removesuffix(".service") for name, value in lines if name == "NEEDRESTART-SVC"),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of the operating system and of the installed packages, OMERO.web and OMERO.server."""
    result = {}
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            result["system"] = line.partition("=")[2].strip('"')
    result["kernel"] = output("uname", "-r")
    for package in packages:
        for line in output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", package).splitlines():
            name, _, version = line.partition(" ")
            if version:
                result[name] = version
    for folder in pathlib.Path("/opt/omero/web").glob("venv3/lib/python3*/site-packages/omero_web-*.dist-info"):
        result["OMERO.web"] = folder.name.removeprefix("omero_web-").removesuffix(".dist-info")
    server = pathlib.Path("/opt/omero/server/OMERO.server")
    if server.is_symlink():
        result["OMERO.server"] = server.readlink().name
    return result


def main() -> None:
    """Print the node's state."""
    with ThreadPoolExecutor() as pool:
        # Each of the two takes a second or more.
        status = pool.submit(output, "/usr/local/sbin/idr-apply", "--status")
        upgraded = pool.submit(patches)
    answer = {
        "bootstrap": bootstrap(),
        "applied": parsed(status.result()),
        "disks": disks(),
        "patches": upgraded.result(),
        "versions": versions(sys.argv[1:]),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
