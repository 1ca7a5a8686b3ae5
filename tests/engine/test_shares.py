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


def declare(place: Deployment, **changes: Any) -> None:
    place.project.change(lambda config: config.update({"idr:storage": [{**RAW, **changes}]}))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack with a share that was made once."""
    with FakeCloud(services=dict(WITH_MANILA)) as cloud:
        place = Deployment(cloud, local_stack(cloud, tmp_path_factory.mktemp("stack")), {})
        declare(place)
        done = place.up()
        assert done.returncode == 0, done.stdout + done.stderr
        place.keep()
        yield place


@pytest.fixture
def place(stack: Deployment) -> Deployment:
    """The stack as it was made."""
    stack.put_back()
    declare(stack)
    return stack


def rules(place: Deployment) -> list[tuple[str, str, str]]:
    return [(one["access_to"], one["access_level"], one["state"]) for one in place.cloud.store.all("share_rules")]


def test_the_share_is_made_once_for_the_omero_nodes_alone_and_left_alone(place: Deployment) -> None:
    share = place.only("shares", NAME)
    assert (share["size"], share["share_proto"], share["metadata"]) == (4, "NFS", {"idr_stack": "local"})
    assert rules(place) == [(OMERO, "rw", "active")]
    again = place.up("--refresh", "--expect-no-changes")
    assert again.returncode == 0, again.stdout
    outputs = json.loads(place.project.pulumi("stack", "output", "--json", "--stack", STACK).stdout)
    (told,) = outputs["topology"]["shares"]
    # The address of version 4, which the cloud lists last.
    assert told["source"] == f"10.254.0.3:/shares/share-{share['id']}"
    assert place.idr("drift").returncode == 0


def test_it_grows_and_neither_shrinks_nor_changes_its_type(place: Deployment) -> None:
    share = place.only("shares", NAME)
    place.cloud.store.add("share_types", name="other")
    declare(place, sizeGib=2, type="other")
    refused(place.up(), "share 'raw' has 4 GiB, sizeGib says 2", "is of the type 'nfs', which cannot change")
    declare(place, sizeGib=6)
    done = place.up()
    assert done.returncode == 0, done.stdout
    assert (share["size"], len(place.cloud.store.all("shares"))) == (6, 1)


def test_a_share_that_the_state_does_not_know_is_adopted_and_not_made_twice(place: Deployment) -> None:
    share = place.only("shares", NAME)
    place.cloud.store.remove("share_rules", place.cloud.store.all("share_rules")[0]["id"])
    place.lose_from_state(SHARE, RULE)
    refused(place.up(), f"share {NAME} ({share['id']})", "bin/idr recover --stack local")
    assert NAME in place.idr("drift").stdout
    done = place.idr("recover", "--yes")
    assert f"adopt: share {NAME} ({share['id']}), as the data share raw" in done.stdout, done.stdout + done.stderr
    again = place.up()
    assert again.returncode == 0, again.stdout
    assert [one["id"] for one in place.cloud.store.all("shares")] == [share["id"]]
    assert rules(place) == [(OMERO, "rw", "active")]
    refused(place.project.pulumi("destroy", "--yes", "--stack", STACK), "protect")


def test_an_access_rule_whose_answer_was_lost_is_made_anew(place: Deployment) -> None:
    share, (rule,) = place.only("shares", NAME), place.cloud.store.all("share_rules")
    place.lose_from_state(RULE)
    refused(place.up(), f"share access rule of {NAME}: ip {OMERO} rw ({share['id']}/{rule['id']})")
    done = place.idr("recover", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    again = place.up()
    assert again.returncode == 0, again.stdout
    assert rules(place) == [(OMERO, "rw", "active")]
    assert place.cloud.store.all("share_rules")[0]["id"] != rule["id"]


def test_a_rule_by_hand_is_told_and_left(place: Deployment) -> None:
    share = place.only("shares", NAME)
    place.cloud.store.add(
        "share_rules", share_id=share["id"], access_type="ip", access_to="192.0.2.77", access_level="rw", state="active"
    )
    drift = place.idr("drift")
    assert (drift.returncode, "not the stack's" in drift.stdout) == (1, True), drift.stdout
    assert place.up().returncode == 0
    assert place.idr("recover", "--yes").returncode == 0
    assert [one[0] for one in rules(place)] == [OMERO, "192.0.2.77"]


def test_a_list_without_the_share_is_not_its_end(place: Deployment) -> None:
    known = place.known()
    place.cloud.store._kinds["shares"].clear()
    for done in (place.up(), place.idr("recover", "--yes")):
        refused(done, "the project does not hold what the state protects", "share raw")
    assert place.known() == known


def test_a_share_that_nodes_cannot_mount_ends_the_update(place: Deployment) -> None:
    place.only("shares", NAME)["locations"] = [{"path": "[fd00::3]:/shares/a", "preferred": True}]
    refused(place.up("--refresh"), "share 'raw' has no export location that can be mounted", "[fd00::3]:/shares/a")


def test_a_manila_that_does_not_answer_makes_nothing_new(place: Deployment) -> None:
    place.cloud.refusals["GET share/shares"] = 500
    try:
        before = place.holds()
        assert place.up().returncode != 0
        assert place.holds() == before
    finally:
        place.cloud.refusals.clear()


def test_what_is_taken_out_of_the_settings_is_protected_and_then_goes(place: Deployment) -> None:
    place.project.change(lambda config: config.pop("idr:storage"))
    refused(place.up(), "protect")
    assert place.only("shares", NAME)
    declare(place)
    place.project.change(lambda config: config.update({"idr:protectData": False}))
    try:
        assert place.up().returncode == 0
        place.project.change(lambda config: config.pop("idr:storage"))
        done = place.up()
        assert done.returncode == 0, done.stdout
    finally:
        place.project.change(lambda config: config.pop("idr:protectData"))
    assert (place.cloud.store.all("shares"), rules(place)) == ([], [])


def test_a_cloud_without_manila_says_so_and_costs_others_nothing(tmp_path: Any) -> None:
    with FakeCloud() as cloud:
        place = Deployment(cloud, local_stack(cloud, tmp_path), {})
        declare(place)
        for done in (place.up(), place.idr("check")):
            refused(done, "this cloud has no Manila in its catalogue, and storage declares the share 'raw'")
            assert (done.stdout + done.stderr).count("Manila") == 1
        assert cloud.store.all("servers") == []


def test_the_fake_manila_refuses_what_the_true_one_refuses() -> None:
    with FakeCloud(services=dict(WITH_MANILA)) as cloud:
        auth = {"username": "nina", "password": cloud.environment()["OS_PASSWORD"], "project_name": "idr"}
        auth |= {"auth_url": cloud.auth_url, "user_domain_name": "Default", "project_domain_name": "Default"}
        api = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="one")
        manila: Any = api.shared_file_system
        made = manila.create_share(name="x", share_protocol="NFS", size=1)
        about = {"access_type": "ip", "access_to": "192.0.2.1", "access_level": "ro"}
        tries = {
            "a rule before the share is there": (400, lambda: manila.create_access_rule(made.id, **about)),
            "the end of a share in creation": (403, lambda: manila.delete_share(made)),
            "a type that is not there": (
                404,
                lambda: manila.create_share(share_protocol="NFS", size=1, share_type="no"),
            ),
            "too much": (413, lambda: manila.create_share(share_protocol="NFS", size=2000)),
            "export locations in the oldest version": (
                404,
                lambda: plain(manila, f"/shares/{made.id}/export_locations"),
            ),
            "a version to come": (406, lambda: plain(manila, "/shares", microversion="2.999")),
            "rules of a share that is not there": (400, lambda: list(manila.access_rules("nowhere"))),
            "a share that is not there": (404, lambda: manila.get_share("nowhere")),
        }
        assert {what: status(attempt) for what, (_, attempt) in tries.items()} == {
            what: expected for what, (expected, _) in tries.items()
        }
        manila.wait_for_status(manila.get_share(made.id), "available", wait=10)
        rule = manila.create_access_rule(made.id, **about)
        assert rule.state == "queued_to_apply"
        assert status(lambda: manila.create_access_rule(made.id, **about)) == 400
        assert status(lambda: manila.resize_share(made.id, 1, no_shrink=True)) == 0
        assert status(lambda: made.extend_share(manila, 1)) == 400


def plain(manila: Any, path: str, **options: Any) -> None:
    from openstack.exceptions import raise_from_response

    raise_from_response(manila.get(path, **options))


def status(attempt: Any) -> int:
    try:
        attempt()
    except HttpException as error:
        return int(error.status_code or 0)
    return 0
