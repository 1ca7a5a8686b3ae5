"""Cloud and state that differ: slow or rare cases; `make test` has the others."""

import pytest

from tests.engine.recovery import REDIS, Deployment, refused
from tests.engine.test_recover import deployment, is_asked_about, is_recreated, stack

__all__ = ["deployment", "stack"]

pytestmark = pytest.mark.engine


def test_the_empty_lock_of_a_full_disk_is_asked_about(deployment: Deployment) -> None:
    is_asked_about(deployment, "", "an update that could not write down who it is")


def test_a_bastion_that_somebody_deleted_is_recreated_by_up_alone(deployment: Deployment) -> None:
    is_recreated(deployment, "bastion")


def test_another_object_that_is_gone_is_forgotten_and_recreated(deployment: Deployment) -> None:
    rule = deployment.cloud.store.all("security-group-rules", protocol="tcp")[0]
    deployment.cloud.store.remove("security-group-rules", rule["id"])
    refused(deployment.up(), "gone from the project", rule["id"], "bin/idr recover")
    done = deployment.idr("recover", "--yes")
    assert rule["id"] in done.stdout, done.stderr
    assert deployment.up().returncode == 0


def test_a_server_in_error_is_deleted_but_not_another_stacks(deployment: Deployment) -> None:
    broken = deployment.only("servers", REDIS)
    broken["status"] = "ERROR"
    other = deployment.cloud.store.add(
        "servers", **{**broken, "id": "other", "name": "idr-local-blue-redis", "metadata": {"idr_stack": "local-blue"}}
    )
    refused(deployment.up(), "servers in ERROR: idr-local-demo1-redis.")
    done = deployment.idr("recover", "--yes")
    assert done.returncode == 0, done.stderr
    assert deployment.cloud.store.all("servers", name=REDIS) == []
    assert deployment.cloud.store.get("servers", "other") == other
    assert deployment.up().returncode == 0
