"""Wait until the services of started servers answer again."""

import subprocess
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from idr.remote import arguments, configuration
from model.outputs.topology import NodeView, Topology

WELL_SECONDS = 900
"""The longest time-out of a role's health (cloudinit/omero-server/role.yaml)."""
PAUSE_SECONDS = 5
CONNECT_SECONDS = 10
ANSWER_SECONDS = 60
STATUS = ("sudo", "-n", "/usr/local/sbin/idr-apply", "--status")


def wait(topology: Topology, names: Collection[str], private_key: str, seconds: float = WELL_SECONDS) -> list[str]:
    """Wait until the roles of these nodes are healthy. Return the names of the nodes that were not in time."""
    waiting = [node for node in topology.nodes if node.name in names]
    with tempfile.TemporaryDirectory(prefix="idr-started-") as folder:
        key = Path(folder) / "key"
        key.touch(0o600)
        key.write_text(private_key)
        with configuration(topology, key) as config:
            end = time.monotonic() + seconds
            while waiting := [node for node in waiting if not _is_well(node, config)]:
                if time.monotonic() > end:
                    break
                time.sleep(PAUSE_SECONDS)
    return [node.name for node in waiting]


def _is_well(node: NodeView, config: Path) -> bool:
    command = arguments(config, node, STATUS, CONNECT_SECONDS)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=ANSWER_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
