"""Every node rebuilt by name, one after another: nothing else is touched, and what was kept is still there."""

import json
from collections.abc import Iterator

import pytest

from tests import stacks
from tests.cloud import tenant
from tests.cloud.service import Service
from tests.cloud.tenant import Tenant

pytestmark = pytest.mark.cloud

ALIASES = ("database", "redis", "omeroreadwrite", "proxy")


@pytest.fixture(scope="module")
def place(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A second service of its own, in a project apart."""
    assert service.outputs
    made = tenant.make(tmp_path_factory.mktemp("tenant"))
    try:
        made.apply()
        yield made
    finally:
        made.take_down()


@pytest.mark.parametrize("alias", ALIASES)
def test_a_rebuild_by_name_replaces_that_node_and_no_volume(place: Tenant, alias: str) -> None:
    volumes = {volume.name: volume.id for volume in place.cloud().block_storage.volumes()}
    servers = place.servers()
    releases = stacks.values("local")["releases"]
    releases["demo1"]["rebuild"] = {alias: 2, **dict.fromkeys(ALIASES[: ALIASES.index(alias)], 2)}
    place.configure(idr_releases=releases)

    steps = json.loads(place.pulumi("preview", "--stack", "local", "--json").stdout)["steps"]
    replaced = {step["urn"].rsplit("::", 1)[-1] for step in steps if "replace" in step["op"]}
    assert {name.removesuffix("-db") for name in replaced} == {f"demo1-{alias}"}
    assert not any("blockstorage" in step["urn"] and step["op"] != "same" for step in steps)

    done = place.up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert {volume.name: volume.id for volume in place.cloud().block_storage.volumes()} == volumes
    now = place.servers()
    assert {name for name in now if now[name] != servers[name]} == {f"idr-local-demo1-{alias}"}
