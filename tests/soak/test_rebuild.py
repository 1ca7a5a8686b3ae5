"""Every machine rebooted, then rebuilt by name: its service starts without help, and its data are kept."""

import pytest

from harness.cloud.asking import PING, THUMBNAIL, answers
from harness.cloud.service import REDIS, Service
from harness.cloud.tenant import Tenant
from harness.steps import lines_of, replaced
from tests.cloud.test_data import ROW
from tests.waiting import wait_until

pytestmark = pytest.mark.cloud

ALIASES = ("database", "redis", "omeroreadwrite", "omeroreadonly-1", "omeroreadonly-2", "proxy", "management")
MINUTES = 5
STATUS = "sudo idr-apply --status"
# Redis makes a snapshot every minute without this.
SNAPSHOT = REDIS.format("bgsave")
FILES = {"omeroreadwrite": "/data/kept", "management": "/data/kept"}


@pytest.fixture(scope="module")
def kept(whole: Tenant) -> Service:
    """Write a row, files and a session, and put an image into the cache."""
    whole_service = whole.service()
    whole_service.on("demo1-database", ROW.format("create table kept as select 130 as release"))
    for alias, path in FILES.items():
        whole_service.on(f"demo1-{alias}", f"echo 130 | sudo tee {path} && sync")
    whole_service.on("demo1-redis", REDIS.format("set kept 130"))
    whole_service.on("demo1-redis", SNAPSHOT)
    with whole_service.browser() as visitor:
        assert answers(visitor, THUMBNAIL)
    return whole_service


def still_there(service: Service, *, session: bool) -> None:
    """Check that the data exist, and that the proxy has the image without a request to OMERO.web."""
    assert service.on("demo1-database", ROW.format("select release from kept")) == "130"
    for alias, path in FILES.items():
        assert service.on(f"demo1-{alias}", f"cat {path}") == "130"
    if session:
        assert service.on("demo1-redis", REDIS.format("get kept")) == "130"
    with service.browser() as visitor:
        page = visitor.get(THUMBNAIL)
        assert (page.status_code, page.headers["x-cache-status"]) == (200, "HIT")


def wait_until_well(service: Service, name: str) -> None:
    """Wait until a machine reports that it is healthy and OMERO.web answers visitors."""

    def is_well() -> bool:
        with service.browser() as visitor:
            return service.try_on(name, STATUS).returncode == 0 and answers(visitor, PING)

    wait_until(is_well, MINUTES * 60, pause=2, state=lambda: f"{name}: {service.try_on(name, STATUS)}")


@pytest.mark.parametrize("name", ["bastion", *(f"demo1-{alias}" for alias in ALIASES)])
def test_a_rebooted_machine_comes_back_by_itself(whole: Tenant, kept: Service, name: str) -> None:
    started = kept.on(name, "cat /proc/1/stat").split()[21]
    whole.cloud().compute.reboot_server(whole.servers()[f"idr-local-{name}"], "HARD")

    def is_back() -> bool:
        done = kept.try_on(name, "cat /proc/1/stat")
        return done.returncode == 0 and done.stdout.split()[21] != started

    wait_until(is_back, MINUTES * 60, pause=1)
    wait_until_well(kept, name)
    still_there(kept, session=True)


@pytest.mark.parametrize("alias", ALIASES)
def test_a_rebuild_by_name_replaces_that_machine_and_no_volume(whole: Tenant, kept: Service, alias: str) -> None:
    releases = whole.settings("releases")
    releases["demo1"]["rebuild"] = {**releases["demo1"].get("rebuild", {}), alias: 2}
    whole.configure(idr_releases=releases)
    replace_only(whole, f"demo1-{alias}")
    wait_until_well(kept, f"demo1-{alias}")
    # Redis has no volume of its own: sessions end with its machine.
    still_there(kept, session="redis" not in releases["demo1"]["rebuild"])


def test_a_rebuilt_bastion_is_entered_at_the_same_address_with_the_same_key(whole: Tenant, kept: Service) -> None:
    whole.configure(idr_bastion={**whole.settings("bastion"), "rebuild": 2})
    replace_only(whole, "bastion")
    wait_until_well(kept, "bastion")
    assert kept.on("demo1-database", "hostname -s") == "demo1-database"


def test_a_bastion_gets_another_host_key_with_its_rebuild(whole: Tenant, kept: Service) -> None:
    whole.renew("ssh/host/bastion")
    whole.configure(idr_bastion={**whole.settings("bastion"), "rebuild": 3})
    replace_only(whole, "bastion")
    assert "Host key verification failed" in kept.try_on("bastion", "true").stderr
    assert whole.service().on("demo1-database", "hostname -s") == "demo1-database"


def replace_only(whole: Tenant, name: str) -> None:
    """Apply the settings: the machine `name` is replaced, and nothing else changes."""
    volumes = {volume.name: volume.id for volume in whole.cloud().block_storage.volumes()}
    servers = whole.servers()
    steps = whole.apply()
    assert replaced(steps, "Instance") == {name}
    assert not [step for step in steps if step.kind == "Volume"], lines_of(steps)
    assert {volume.name: volume.id for volume in whole.cloud().block_storage.volumes()} == volumes
    now = whole.servers()
    assert {server for server in now if now[server] != servers[server]} == {f"idr-local-{name}"}
