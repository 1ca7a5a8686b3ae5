"""What breaks an update is one clear message, visitors go on being served, and the next correct update completes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.cloud.asking import asking
from tests.cloud.tenant import Tenant
from tests.steps import said

pytestmark = pytest.mark.cloud

RELEASE = "demo1"
DATABASE, REDIS, OMERO, PROXY = (f"{RELEASE}-{name}" for name in ("database", "redis", "omeroreadwrite", "proxy"))
BACK = "The previous configuration is back in force."
NGINX = "cloudinit/proxy/files/etc/nginx/conf.d/gzip.conf"
NOWHERE = "192.0.2.1"  # RFC 5737: an address of nobody's
OTHER_VOLUME = "00000000-0000-0000-0"


@dataclass(frozen=True)
class Broken:
    """One text of the program made wrong, what the node says of it, and the secret whose renewal is the next `up`."""

    file: str
    old: str
    new: str
    node: str
    said: tuple[str, ...]
    renewed: str


BROKEN = {
    "a wrong password for Redis": Broken(
        file="cloudinit/web/files/opt/omero/web/config/idr.omero.j2",
        old="redis://:{{",
        new="redis://:wrong{{",
        node=OMERO,
        said=(
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
        said=("role omero-demo: check failed", "the database does not let omero in, for 10 s: ", NOWHERE),
        renewed=f"tls/{RELEASE}-omeroreadwrite",
    ),
    "a volume that is not attached": Broken(
        file="cloudinit/common/files/etc/idr/volumes.j2",
        old="{{ volume_ids[volume.purpose] }}",
        new=OTHER_VOLUME,
        node=DATABASE,
        said=(
            "role common: prepare failed",
            f"volume {OTHER_VOLUME} did not appear",
            "is it attached to this server?",
        ),
        renewed=f"password/{RELEASE}/database/omeroreadonly",
    ),
}
# Long enough for another machine that an update is changing; here nothing comes.
PATIENCE = ("cloudinit/common/scripts/waiting", "cloudinit/common/scripts/storage")


@pytest.fixture(scope="module")
def place(second: Tenant) -> Iterator[Tenant]:
    """The project apart, whose copy of the program waits for other machines and disks for seconds, not minutes."""
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


def refusal(place: Tenant, node: str) -> str:
    """What an `up` says that one node refuses, all of it about that node; visitors must not have noticed."""
    with asking(place.service()) as asked:
        done = place.up()
    assert done.returncode != 0, done.stdout
    assert asked.failures == []
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    messages = [line for line in lines if line.startswith("idr-apply: ")]
    assert len(messages) == 1, lines
    assert messages[0].startswith(f"idr-apply: {node}: role ")
    assert "Traceback" not in lines
    return done.stdout + done.stderr


def corrected(place: Tenant, *nodes: str) -> None:
    """The next `up` completes: it configures these nodes, and visitors are served."""
    steps = place.apply()
    assert said(steps) == sorted(f"update Command {node}" for node in nodes)
    with asking(place.service()) as asked:
        pass
    assert asked.failures == []


@contextmanager
def edited(place: Tenant, file: str, old: str, new: str) -> Iterator[None]:
    """The copy of the program with another text in one of its files."""
    path = place.folder / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield
    finally:
        path.write_text(before)


def test_an_invalid_line_for_nginx_is_named_with_its_place(place: Tenant) -> None:
    with edited(place, NGINX, "gzip on;", "gzipp on;"):
        text = refusal(place, PROXY)
    assert "role proxy: check failed" in text
    assert 'unknown directive "gzipp" in /etc/nginx/conf.d/gzip.conf:2' in text
    assert BACK in text
    with edited(place, NGINX, "gzip on;", "gzip off;"):
        corrected(place, PROXY)
    corrected(place, PROXY)


@pytest.mark.parametrize("what", BROKEN)
def test_what_a_node_is_about_to_use_is_asked_before_anything_that_runs_is_touched(place: Tenant, what: str) -> None:
    broken = BROKEN[what]
    with edited(place, broken.file, broken.old, broken.new):
        text = refusal(place, broken.node)
    for words in (*broken.said, BACK):
        assert words in text
    place.renew(broken.renewed)
    corrected(place, broken.node)
