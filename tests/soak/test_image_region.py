"""The image region service of examples/image-region on running machines: added, broken and removed.

The archive is a strict stand-in for the service (tests/image_region.py), which asks the node's OMERO.server for
sessions. The role's own program keeps one: it logs in there by OMERO's own client. Each test continues
where the previous one ended.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from harness.cloud.asking import THUMBNAIL
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import replaced
from tests import image_region
from tests.cloud import downloads, faults
from tests.cloud.test_broken import BACK, edited, refusal
from tests.image_region import NAME, ROLE

pytestmark = pytest.mark.cloud

NODE = "demo1-omeroreadwrite"
FOLDER = "pictures"
DOWNLOADS = f"{FOLDER}/{NAME}/files/usr/local/lib/idr/{NAME}/downloads"
ARCHIVE = "omero-ms-image-region-0.10.0.zip"
UNITS = (NAME, f"{NAME}-session", f"{NAME}-tls")
ON_THE_DEMO = {
    ', "openjdk-{java}-jre-headless"': "",
    "/opt/omero/server/venv/": "/opt/omero/server/venv3/",
    "/usr/local/lib/idr/omero-server/ice.config": "/opt/omero/web/config/ice.config",
    "is-active -q omero-server": "is-active -q omero-demo-image-server",
}
"""Paths that differ on the demo's node from one of the official distribution, and no Java."""
PASSWORD, SESSION = "/etc/image-region/public-password", "/var/lib/image-region/session"
HEALTH = f"sudo /usr/local/lib/idr/{NAME}/health"
CONNECT = "timeout 5 bash -c '</dev/tcp/{}/{}'"
PICTURE = "webgateway/render_image/{}/0/0/?c=1&q=0.{}"
KNOWN, UNKNOWN = 1, 2
"""The image that the stand-in renders, and one that it does not know."""
OF_THE_SERVICE = f"picture of {KNOWN} for "
JPEG = b"\xff\xd8\xff"
HEALED_SECONDS = 90
NUMBERS = count(100001)


@pytest.fixture(scope="module")
def added(second: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Add the role to the node of OMERO; restore the node afterwards."""
    archives = tmp_path_factory.mktemp("archives")
    image_region.pack(archives / ARCHIVE, python="/opt/omero/server/venv3/bin/python")
    digest = hashlib.sha256((archives / ARCHIVE).read_bytes()).hexdigest()
    before, releases = second.settings("releases"), second.settings("releases")
    releases["demo1"]["nodes"]["omeroreadwrite"]["roles"].append(NAME)
    with downloads.served(archives) as base:
        copied(second.folder / FOLDER, f"service {digest} {base}/{ARCHIVE}")
        second.configure(idr_siteRoles=f"{FOLDER}/", idr_releases=releases)
        assert not replaced(second.apply())
        yield second.service()
    second.configure(idr_siteRoles=None, idr_releases=before)
    second.apply()


def copied(folder: Path, archive: str) -> None:
    """Copy the example's role into `folder`, with the line that names its archive, for the demo's node."""
    shutil.copytree(ROLE, folder / NAME)
    files = [file for file in (folder / NAME).rglob("*") if file.is_file()]
    for was, now in ON_THE_DEMO.items():
        matching = [file for file in files if was in file.read_text()]
        assert matching, was
        for file in matching:
            file.write_text(file.read_text().replace(was, now))
    listed = folder.parent / DOWNLOADS
    listed.write_text(listed.read_text().replace("service unset unset", archive))


def picture(visitor: httpx.Client, image: int = KNOWN) -> httpx.Response:
    """Request a picture that nobody has requested, so that no cache has it."""
    return visitor.get(PICTURE.format(image, next(NUMBERS)))


def asked(service: Service, image: int = KNOWN, timeout: float = 30) -> httpx.Response:
    """Request it as a new visitor."""
    with service.browser(timeout=timeout) as visitor:
        return picture(visitor, image)


def is_of_omero_web(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.content.startswith(JPEG)


def key_of(service: Service) -> str:
    """Return the session with which the service answers; it must answer within HEALED_SECONDS."""
    end = time.monotonic() + HEALED_SECONDS
    while not (answer := asked(service, timeout=HEALED_SECONDS)).text.startswith(OF_THE_SERVICE):
        assert time.monotonic() < end, f"not the service's after {HEALED_SECONDS} s: {answer.status_code}"
        time.sleep(1)
    return answer.text.removeprefix(OF_THE_SERVICE)


def healthy(service: Service) -> None:
    service.on(NODE, f"timeout 100 bash -c 'until {HEALTH}; do sleep 1; done'")


def test_a_picture_is_the_services_and_is_kept(added: Service) -> None:
    path = PICTURE.format(KNOWN, next(NUMBERS))
    with added.browser() as visitor:
        first, again = visitor.get(path), visitor.get(path)
        assert first.text.startswith(OF_THE_SERVICE), first.text[:200]
        assert (first.headers["x-cache-status"], again.headers["x-cache-status"]) == ("MISS", "HIT")
        assert again.text == first.text
        assert "set-cookie" not in first.headers
        assert visitor.get(THUMBNAIL).content.startswith(JPEG)


def test_the_session_is_the_public_users_at_this_omero_server(added: Service) -> None:
    """The stand-in has joined it there; the node keeps this session, and nobody else can read it."""
    assert added.on(NODE, f"sudo cat {SESSION}") == f"session {key_of(added)}"
    assert added.try_on(NODE, f"cat {SESSION}").returncode != 0
    assert "logged in as the user public" in added.on(NODE, f"sudo journalctl -q -o cat -u {NAME}-session")


def test_what_it_does_not_know_omero_web_answers(added: Service) -> None:
    assert is_of_omero_web(asked(added, UNKNOWN))


def test_the_machine_is_as_every_other(added: Service) -> None:
    address = added.outputs["inventory"]["_meta"]["hostvars"][NODE]["idr_address"]
    assert added.on(NODE, "systemctl --failed --no-legend") == ""
    for unit in UNITS:
        assert added.on(NODE, f"systemctl is-enabled {unit}") == "enabled"
        assert added.on(NODE, f"systemd-analyze verify --man=no {unit}.service 2>&1") == ""
    assert added.on(NODE, "sudo /usr/local/sbin/idr-apply --status")
    assert added.try_on("demo1-proxy", CONNECT.format(address, 8082)).returncode == 0
    assert added.try_on("demo1-proxy", CONNECT.format(address, 8081)).returncode != 0
    assert added.try_on("demo1-redis", CONNECT.format(address, 8082)).returncode != 0


def test_while_it_is_stopped_omero_web_answers(added: Service) -> None:
    added.on(NODE, f"sudo systemctl stop {NAME}")
    with added.browser() as visitor:
        assert all(is_of_omero_web(picture(visitor)) for _ in range(5))
    added.on(NODE, f"sudo systemctl start {NAME}")
    healthy(added)
    key_of(added)


def test_killed_it_is_back_by_itself(added: Service) -> None:
    with faults.watching(added) as outage:
        faults.killed(added, NODE, NAME)()
        key_of(added)
    assert outage.seconds == dict.fromkeys(faults.PAGES, 0.0)


def test_frozen_it_is_restarted_and_who_waits_gets_omero_webs_picture(added: Service) -> None:
    with faults.watching(added) as outage:
        faults.frozen(added, NODE, NAME)()
        # HAProxy waits for the service until idr-heal restarts it.
        assert is_of_omero_web(asked(added, timeout=HEALED_SECONDS))
        key_of(added)
    assert outage.seconds == dict.fromkeys(faults.PAGES, 0.0)
    log = added.on(NODE, "sudo journalctl --quiet --no-pager --output=cat --unit=idr-heal --since=-5min")
    assert f"{NAME}: " in log


def test_a_session_that_omero_has_lost_is_followed_by_another(added: Service) -> None:
    before = key_of(added)
    added.on(NODE, "sudo systemctl restart omero-demo-image-server")
    healthy(added)
    assert key_of(added) != before


def test_health_names_a_missing_session_and_omero_web_answers(added: Service) -> None:
    added.on(NODE, f"sudo cp -a {PASSWORD} /var/tmp/kept && echo another | sudo tee {PASSWORD} > /dev/null")
    # As after a start of the machine: the former key has disappeared.
    added.on(NODE, f"sudo systemctl stop {NAME}-session && echo session none | sudo tee {SESSION} > /dev/null")
    added.on(NODE, f"sudo systemctl restart {NAME}-tls && sudo systemctl start {NAME}-session")
    refused = "grep -q wrong.user.or.password"
    added.on(
        NODE,
        f"timeout 60 bash -c 'until sudo journalctl -q -u {NAME}-session --since=-1min | {refused}; do sleep 1; done'",
    )
    done = added.try_on(NODE, HEALTH)
    assert done.returncode == 1
    assert done.stdout.startswith(f"no session of the public user: see journalctl -u {NAME}-session")
    assert f'"{NAME}": false' in added.try_on(NODE, "sudo /usr/local/sbin/idr-apply --status").stdout
    assert is_of_omero_web(asked(added))
    added.on(NODE, f"sudo cp -a /var/tmp/kept {PASSWORD} && sudo systemctl restart {NAME}-session")
    healthy(added)
    key_of(added)


def test_an_archive_with_another_sum_changes_nothing(added: Service, second: Tenant) -> None:
    (line,) = (line for line in (second.folder / DOWNLOADS).read_text().splitlines() if line.startswith("service "))
    with edited(second, DOWNLOADS, line, f"service {'0' * 64} {line.split()[2]}"):
        text = refusal(second, NODE)
    assert f"says {'0' * 64}; not unpacked" in text
    assert BACK in text
    key_of(added)


def test_without_the_role_omero_web_answers_as_before(added: Service, second: Tenant) -> None:
    releases = second.settings("releases")
    releases["demo1"]["nodes"]["omeroreadwrite"]["roles"].remove(NAME)
    second.configure(idr_siteRoles=None, idr_releases=releases)
    assert not replaced(second.apply())
    assert is_of_omero_web(asked(added))
    for unit in UNITS:
        assert added.try_on(NODE, f"systemctl is-active {unit}").stdout.strip() == "inactive"
    address = added.outputs["inventory"]["_meta"]["hostvars"][NODE]["idr_address"]
    assert added.try_on("demo1-proxy", CONNECT.format(address, 8082)).returncode != 0
