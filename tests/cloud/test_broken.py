"""What breaks an update is one clear message, visitors go on being served, and the next correct update completes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cloud.asking import asking
from tests.cloud.tenant import Tenant
from tests.steps import said

pytestmark = pytest.mark.cloud

RELEASE = "demo1"
DATABASE, REDIS, OMERO, PROXY = (f"{RELEASE}-{name}" for name in ("database", "redis", "omeroreadwrite", "proxy"))
BACK = "The previous configuration is back in force."
NGINX = "cloudinit/proxy/files/etc/nginx/conf.d/gzip.conf"
VOLUMES = "cloudinit/common/files/etc/idr/volumes.j2"
SETTINGS_OF_OMERO = "cloudinit/omero-demo/files/etc/omero-demo-image-server.env.j2"
SETTINGS_OF_WEB = "cloudinit/web/files/opt/omero/web/config/idr.omero.j2"
NOWHERE = "192.0.2.1"  # RFC 5737: an address of nobody's
OTHER_VOLUME = "00000000-0000-0000-0"
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


def test_a_wrong_password_for_redis_is_named_before_omero_web_is_touched(place: Tenant) -> None:
    with edited(place, SETTINGS_OF_WEB, "redis://:{{", "redis://:wrong{{"):
        text = refusal(place, OMERO)
    assert "role web: check failed" in text
    assert ":6379/0 does not let OMERO.web in, for 10 s: " in text
    assert "invalid username-password pair" in text
    assert BACK in text
    place.renew(f"password/{RELEASE}/omero/public")
    corrected(place, OMERO)


def test_an_unreachable_database_is_named_before_the_server_is_touched(place: Tenant) -> None:
    with edited(place, SETTINGS_OF_OMERO, "{{ database.address }}", NOWHERE):
        text = refusal(place, OMERO)
    assert "role omero-demo: check failed" in text
    assert "the database does not let omero in, for 10 s: " in text
    assert NOWHERE in text
    assert BACK in text
    place.renew(f"password/{RELEASE}/omero/public")
    corrected(place, OMERO)


def test_a_volume_that_is_not_attached_is_named(place: Tenant) -> None:
    with edited(place, VOLUMES, "{{ volume_ids[volume.purpose][:20] }}", OTHER_VOLUME):
        text = refusal(place, DATABASE)
    assert "role common: prepare failed" in text
    assert f"volume {OTHER_VOLUME} did not appear" in text
    assert "is it attached to this server?" in text
    assert BACK in text
    place.renew(f"password/{RELEASE}/database/omeroreadonly")
    corrected(place, DATABASE)
