"""Common mistakes with a live service: nothing is deleted or created, and drift is corrected."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness import stacks
from harness.cloud import tenant
from harness.cloud.tenant import Tenant
from harness.project import copy_program
from tests.cloud import faults

pytestmark = pytest.mark.cloud

REDIS, REDIS_PORT = "demo1-redis", 6379


def idr(stack: Tenant, *arguments: str) -> "CompletedProcess[str]":
    return stack.run(sys.executable, "-m", "idr", *arguments, "--stack", stack.stack)


def refused(done: "CompletedProcess[str]", *messages: str) -> None:
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert [words for words in messages if words not in text] == [], text
    assert "Traceback" not in text


@contextmanager
def untouched(stack: Tenant) -> Iterator[None]:
    """Check that the block creates, deletes and replaces no object, and that no visitor's page fails."""
    before, servers = stack.listing(), stack.servers()
    with faults.watching(stack.service()) as outage:
        yield
    assert (stack.listing(), stack.servers()) == (before, servers)
    assert outage.seconds == dict.fromkeys(faults.PAGES, 0.0)


def test_an_image_that_is_not_there(second: Tenant) -> None:
    right = second.settings("image")
    with untouched(second):
        second.configure(idr_image="Debian 12 (tomorrow)")
        refused(idr(second, "check"), "image 'Debian 12 (tomorrow)' does not exist")
        refused(second.up(), "nothing was changed", "image 'Debian 12 (tomorrow)' does not exist")
        second.configure(idr_image=right)
        assert second.foreseen() == ()


def test_a_second_checkout_without_the_state(second: Tenant, tmp_path: Path) -> None:
    other = replace(second, folder=tmp_path / "second checkout")
    other.folder.mkdir()
    copy_program(other.folder)
    shutil.copy(second.file, other.file)
    with untouched(second):
        refused(idr(other, "check"), "no stack named", str(other.folder / "state"))
        assert other.pulumi("stack", "init", other.stack).returncode == 0
        shutil.copy(second.file, other.file)
        refused(other.up(), "that the state does not know")
        refused(idr(other, "recover", "--yes"), "that the state does not know")
        assert second.foreseen() == ()


def test_what_somebody_changed_by_hand_is_named_and_put_back(second: Tenant) -> None:
    cloud, servers = second.cloud(), second.servers()
    redis = servers[f"idr-local-{REDIS}"]
    group = next(one for one in cloud.network.security_groups() if one.name == f"idr-local-{REDIS}")
    world = cloud.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        protocol="tcp",
        port_range_min=REDIS_PORT,
        port_range_max=REDIS_PORT,
        remote_ip_prefix="0.0.0.0/0",
    )
    cloud.compute.set_server_metadata(cloud.compute.get_server(redis), idr_roles="redis,proxy")
    cloud.compute.stop_server(redis)
    cloud.compute.wait_for_server(cloud.compute.get_server(redis), status="SHUTOFF", wait=180)
    done = idr(second, "drift", "--json")
    changes = {(one["name"], one["change"], *one["properties"]) for one in json.loads(done.stdout)["resources"]}
    assert done.returncode == 1, done.stderr
    assert (REDIS, "switched off") in changes
    assert (REDIS, "changed", "metadata.idr_roles") in changes
    assert any(change == "unknown" and str(REDIS_PORT) in name for name, change, *_ in changes), changes
    assert idr(second, "recover", "--yes").returncode == 0
    done = second.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", second.stack)
    assert done.returncode == 0, done.stdout
    assert world.id not in {rule.id for rule in cloud.network.security_group_rules(security_group_id=group.id)}
    assert second.servers() == servers
    assert json.loads(idr(second, "drift", "--json").stdout)["resources"] == []
    assert not faults.Outage().ask(second.service())


@pytest.fixture
def narrow(second: Tenant) -> Iterator[Tenant]:
    """Return the project with no quota left."""
    limits = second.cloud().get_compute_limits()
    used = {"instances": limits["instances_used"], "cores": limits["total_cores_used"], "ram": limits["total_ram_used"]}
    name = second.auth["project_name"]
    tenant.quota(name, **used)
    yield second
    tenant.quota(name, instances=limits["instances"], cores=limits["total_cores"], ram=limits["total_ram"])


def test_a_larger_flavor_beyond_the_quota(narrow: Tenant) -> None:
    releases = narrow.settings("releases")
    with untouched(narrow):
        larger = stacks.values("local")["releases"]
        larger["demo1"]["nodes"]["redis"]["flavor"] = "local.medium"
        narrow.configure(idr_releases=larger)
        refused(idr(narrow, "check"), "quota of ram (MiB)")
        refused(narrow.up(), "this cloud cannot hold the plan", "quota of ram (MiB)")
        narrow.configure(idr_releases=releases)
        assert narrow.foreseen() == ()
