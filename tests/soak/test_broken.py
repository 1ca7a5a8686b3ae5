"""Each faulty prerequisite of a node is checked before the update touches a running service."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.cloud.tenant import Tenant
from tests.cloud.test_broken import BACK, corrected, edited, refusal

pytestmark = pytest.mark.cloud

RELEASE = "demo1"
DATABASE, OMERO = f"{RELEASE}-database", f"{RELEASE}-omeroreadwrite"
NOWHERE = "192.0.2.1"  # RFC 5737: an address that nobody has
OTHER_VOLUME = "00000000-0000-0000-0"


@dataclass(frozen=True)
class Broken:
    """A wrong text in the program, the messages of the node, and the secret that the next `up` renews."""

    file: str
    old: str
    new: str
    node: str
    messages: tuple[str, ...]
    renewed: str


BROKEN = {
    "a wrong password for Redis": Broken(
        file="cloudinit/web/files/opt/omero/web/config/idr.omero.j2",
        old="rediss://:{{",
        new="rediss://:wrong{{",
        node=OMERO,
        messages=(
            "role web: check failed",
            ":6379/0 does not let OMERO.web in, for 10 s: ",
            "invalid username-password pair",
        ),
        renewed=f"tls/{RELEASE}-omeroreadwrite",
    ),
    "an unreachable database": Broken(
        file="cloudinit/omero-demo/files/etc/omero-demo-image-server.env.j2",
        old="{{ database.address }}",
        new=NOWHERE,
        node=OMERO,
        messages=("role omero-demo: check failed", "the database does not let omero in, for 10 s: ", NOWHERE),
        renewed=f"tls/{RELEASE}-omeroreadwrite",
    ),
    "a volume that is not attached": Broken(
        file="cloudinit/common/files/etc/idr/volumes.j2",
        old="{{ volume_ids[volume.purpose] }}",
        new=OTHER_VOLUME,
        node=DATABASE,
        messages=(
            "role common: prepare failed",
            f"volume {OTHER_VOLUME} did not appear",
            "is it attached to this server?",
        ),
        renewed=f"password/{RELEASE}/database/omeroreadonly",
    ),
}
# They wait long enough for another machine that an update is changing; here nothing changes.
PATIENCE = ("cloudinit/common/scripts/waiting", "cloudinit/common/scripts/storage")


@pytest.fixture(scope="module")
def stack(second: Tenant) -> Iterator[Tenant]:
    """Return the second project, whose copy of the program waits for seconds, not minutes, for machines and disks."""
    before = {second.folder / name: (second.folder / name).read_text() for name in PATIENCE}
    for script, text in before.items():
        script.write_text("".join(map(shorter, text.splitlines(keepends=True))))
        assert script.read_text() != text
    second.apply()
    yield second
    for script, text in before.items():
        script.write_text(text)
    second.apply()


def shorter(line: str) -> str:
    return "WAIT_SECONDS=10\n" if line.startswith("WAIT_SECONDS=") else line


@pytest.mark.parametrize("what", BROKEN)
def test_what_a_node_is_about_to_use_is_asked_before_anything_that_runs_is_touched(stack: Tenant, what: str) -> None:
    broken = BROKEN[what]
    with edited(stack, broken.file, broken.old, broken.new):
        text = refusal(stack, broken.node)
    for words in (*broken.messages, BACK):
        assert words in text
    stack.renew(broken.renewed)
    corrected(stack, broken.node)
