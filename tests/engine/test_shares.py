"""A Manila share that a stack declares, on the fake cloud, by the real engine and provider."""

import json
from collections.abc import Iterator
from typing import Any

import openstack
import pytest
from openstack.exceptions import HttpException

from tests.engine.recovery import Deployment, refused
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.identity import WITH_MANILA
from tests.fake_cloud.project import STACK, local_stack

pytestmark = pytest.mark.engine

NAME = "idr-local-raw"
RAW = {"kind": "share", "name": "raw", "mount": "/uod/idr", "sizeGib": 4}
OMERO = "10.130.1.40"
SHARE, RULE = ("Share", "raw"), ("ShareAccess", "raw-demo1-omeroreadwrite")


def declare(deployment: Deployment, **changes: Any) -> None:
    deployment.project.change(lambda config: config.update({"idr:storage": [{**RAW, **changes}]}))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Create a stack with a share once for all tests."""
    with FakeCloud(services=dict(WITH_MANILA)) as cloud:
        deployment = Deployment(cloud, local_stack(cloud, tmp_path_factory.mktemp("stack")), {})
        declare(deployment)
        deployment.create()
        yield deployment


@pytest.fixture
def deployment(stack: Deployment) -> Deployment:
    """Restore the stack to the state after its creation."""
    stack.put_back()
    declare(stack)
    return stack


def rules(deployment: Deployment) -> list[tuple[str, str, str]]:
    return [(one["access_to"], one["access_level"], one["state"]) for one in deployment.cloud.store.all("share_rules")]


def test_the_share_is_made_once_for_the_omero_nodes_alone_and_left_alone(deployment: Deployment) -> None:
    share = deployment.only("shares", NAME)
    assert (share["size"], share["share_proto"], share["metadata"]) == (4, "NFS", {"idr_stack": "local"})
    assert rules(deployment) == [(OMERO, "rw", "active")]
    again = deployment.up("--refresh", "--expect-no-changes")
    assert again.returncode == 0, again.stdout
    outputs = json.loads(deployment.project.pulumi("stack", "output", "--json", "--stack", STACK).stdout)
    (share_output,) = outputs["topology"]["shares"]
    # The address of version 4, which the cloud lists last.
    assert share_output["source"] == f"10.254.0.3:/shares/share-{share['id']}"
    assert deployment.idr("drift").returncode == 0


def test_it_grows_and_neither_shrinks_nor_changes_its_type(deployment: Deployment) -> None:
    share = deployment.only("shares", NAME)
    deployment.cloud.store.add("share_types", name="other")
    declare(deployment, sizeGib=2, type="other")
    refused(deployment.up(), "share 'raw' has 4 GiB, sizeGib says 2", "is of the type 'nfs', which cannot change")
    declare(deployment, sizeGib=6)
    done = deployment.up()
    assert done.returncode == 0, done.stdout
    assert (share["size"], len(deployment.cloud.store.all("shares"))) == (6, 1)


def test_a_share_that_the_state_does_not_know_is_adopted_and_not_made_twice(deployment: Deployment) -> None:
    share = deployment.only("shares", NAME)
    deployment.cloud.store.remove("share_rules", deployment.cloud.store.all("share_rules")[0]["id"])
    deployment.lose_from_state(SHARE, RULE)
    refused(deployment.up(), f"share {NAME} ({share['id']})", "bin/idr recover --stack local")
    assert NAME in deployment.idr("drift").stdout
    done = deployment.idr("recover", "--yes")
    assert f"adopt: share {NAME} ({share['id']}), as the data share raw" in done.stdout, done.stdout + done.stderr
    again = deployment.up()
    assert again.returncode == 0, again.stdout
    assert [one["id"] for one in deployment.cloud.store.all("shares")] == [share["id"]]
    assert rules(deployment) == [(OMERO, "rw", "active")]
    refused(deployment.project.pulumi("destroy", "--yes", "--stack", STACK), "protect")


def test_an_access_rule_whose_answer_was_lost_is_made_anew(deployment: Deployment) -> None:
    share, (rule,) = deployment.only("shares", NAME), deployment.cloud.store.all("share_rules")
    deployment.lose_from_state(RULE)
    refused(deployment.up(), f"share access rule of {NAME}: ip {OMERO} rw ({share['id']}/{rule['id']})")
    done = deployment.idr("recover", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    again = deployment.up()
    assert again.returncode == 0, again.stdout
    assert rules(deployment) == [(OMERO, "rw", "active")]
    assert deployment.cloud.store.all("share_rules")[0]["id"] != rule["id"]


def test_a_rule_by_hand_is_told_and_left(deployment: Deployment) -> None:
    share = deployment.only("shares", NAME)
    deployment.cloud.store.add(
        "share_rules", share_id=share["id"], access_type="ip", access_to="192.0.2.77", access_level="rw", state="active"
    )
    drift = deployment.idr("drift")
    assert (drift.returncode, "not the stack's" in drift.stdout) == (1, True), drift.stdout
    assert deployment.up().returncode == 0
    assert deployment.idr("recover", "--yes").returncode == 0
    assert [one[0] for one in rules(deployment)] == [OMERO, "192.0.2.77"]


def test_a_list_without_the_share_is_not_its_end(deployment: Deployment) -> None:
    known = deployment.known()
    deployment.cloud.store._kinds["shares"].clear()
    for done in (deployment.up(), deployment.idr("recover", "--yes")):
        refused(done, "the project does not hold what the state protects", "share raw")
    assert deployment.known() == known


def test_a_share_that_nodes_cannot_mount_ends_the_update(deployment: Deployment) -> None:
    deployment.only("shares", NAME)["locations"] = [{"path": "[fd00::3]:/shares/a", "preferred": True}]
    refused(deployment.up("--refresh"), "share 'raw' has no export location that can be mounted", "[fd00::3]:/shares/a")


def test_a_manila_that_does_not_answer_makes_nothing_new(deployment: Deployment) -> None:
    deployment.cloud.refusals["GET share/shares"] = 500
    try:
        before = deployment.holds()
        assert deployment.up().returncode != 0
        assert deployment.holds() == before
    finally:
        deployment.cloud.refusals.clear()


def test_what_is_taken_out_of_the_settings_is_protected_and_then_goes(deployment: Deployment) -> None:
    deployment.project.change(lambda config: config.pop("idr:storage"))
    refused(deployment.up(), "protect")
    assert deployment.only("shares", NAME)
    declare(deployment)
    deployment.project.change(lambda config: config.update({"idr:protectData": False}))
    try:
        assert deployment.up().returncode == 0
        deployment.project.change(lambda config: config.pop("idr:storage"))
        done = deployment.up()
        assert done.returncode == 0, done.stdout
    finally:
        deployment.project.change(lambda config: config.pop("idr:protectData"))
    assert (deployment.cloud.store.all("shares"), rules(deployment)) == ([], [])


def test_a_cloud_without_manila_says_so_and_costs_others_nothing(tmp_path: Any) -> None:
    with FakeCloud() as cloud:
        deployment = Deployment(cloud, local_stack(cloud, tmp_path), {})
        declare(deployment)
        for done in (deployment.up(), deployment.idr("check")):
            refused(done, "this cloud has no Manila in its catalogue, and storage declares the share 'raw'")
            assert (done.stdout + done.stderr).count("Manila") == 1
        assert cloud.store.all("servers") == []


def test_the_fake_manila_refuses_what_the_true_one_refuses() -> None:
    with FakeCloud(services=dict(WITH_MANILA)) as cloud:
        auth = {"username": "nina", "password": cloud.environment()["OS_PASSWORD"], "project_name": "idr"}
        auth |= {"auth_url": cloud.auth_url, "user_domain_name": "Default", "project_domain_name": "Default"}
        api = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="one")
        manila: Any = api.shared_file_system
        new = manila.create_share(name="x", share_protocol="NFS", size=1)
        about = {"access_type": "ip", "access_to": "192.0.2.1", "access_level": "ro"}
        tries = {
            "a rule before the share is there": (400, lambda: manila.create_access_rule(new.id, **about)),
            "the end of a share in creation": (403, lambda: manila.delete_share(new)),
            "a type that is not there": (
                404,
                lambda: manila.create_share(share_protocol="NFS", size=1, share_type="no"),
            ),
            "too much": (413, lambda: manila.create_share(share_protocol="NFS", size=2000)),
            "export locations in the oldest version": (
                404,
                lambda: plain(manila, f"/shares/{new.id}/export_locations"),
            ),
            "a version to come": (406, lambda: plain(manila, "/shares", microversion="2.999")),
            "rules of a share that is not there": (400, lambda: list(manila.access_rules("nowhere"))),
            "a share that is not there": (404, lambda: manila.get_share("nowhere")),
        }
        assert {what: status(attempt) for what, (_, attempt) in tries.items()} == {
            what: expected for what, (expected, _) in tries.items()
        }
        manila.wait_for_status(manila.get_share(new.id), "available", wait=10)
        rule = manila.create_access_rule(new.id, **about)
        assert rule.state == "queued_to_apply"
        assert status(lambda: manila.create_access_rule(new.id, **about)) == 400
        assert status(lambda: manila.resize_share(new.id, 1, no_shrink=True)) == 0
        assert status(lambda: new.extend_share(manila, 1)) == 400


def plain(manila: Any, path: str, **options: Any) -> None:
    from openstack.exceptions import raise_from_response

    raise_from_response(manila.get(path, **options))


def status(attempt: Any) -> int:
    try:
        attempt()
    except HttpException as error:
        return int(error.status_code or 0)
    return 0
