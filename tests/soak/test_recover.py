"""Cloud and state that do not agree: what takes long or is rare; `make test` has the others."""

import pytest

from tests.engine.recovery import REDIS, Place, refused
from tests.engine.test_recover import is_asked_about, is_made_anew, place, stack

__all__ = ["place", "stack"]

pytestmark = pytest.mark.engine


def test_the_empty_lock_of_a_full_disk_is_asked_about(place: Place) -> None:
    is_asked_about(place, "", "an update that could not write down who it is")


def test_a_bastion_that_somebody_deleted_is_made_anew_by_up_alone(place: Place) -> None:
    is_made_anew(place, "bastion")


def test_another_object_that_is_gone_is_forgotten_and_made_anew(place: Place) -> None:
    rule = place.cloud.store.all("security-group-rules", protocol="tcp")[0]
    place.cloud.store.remove("security-group-rules", rule["id"])
    refused(place.up(), "gone from the project", rule["id"], "bin/idr recover")
    done = place.idr("recover", "--yes")
    assert rule["id"] in done.stdout, done.stderr
    assert place.up().returncode == 0


def test_a_server_in_error_is_deleted_but_not_another_stacks(place: Place) -> None:
    broken = place.only("servers", REDIS)
    broken["status"] = "ERROR"
    other = place.cloud.store.add(
        "servers", **{**broken, "id": "other", "name": "idr-local-blue-redis", "metadata": {"idr_stack": "local-blue"}}
    )
    refused(place.up(), "servers in ERROR: idr-local-demo1-redis.")
    done = place.idr("recover", "--yes")
    assert done.returncode == 0, done.stderr
    assert place.cloud.store.all("servers", name=REDIS) == []
    assert place.cloud.store.get("servers", "other") == other
    assert place.up().returncode == 0
