"""Another image or flavor for every node, on the fake cloud: one server after another, the bastion first.

The cloud can also replace an image by a newer one of the same name:
no server changes before its next replacement.
"""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness import steps
from tests.fake_cloud import contents
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack

pytestmark = pytest.mark.engine

UP = ("up", "--yes", "--skip-preview", "--json", "--stack", STACK)


def another_image(config: dict[str, Any]) -> None:
    config["idr:image"] = "idr-debian-13"


def another_flavor(config: dict[str, Any]) -> None:
    config["idr:flavors"]["local.large"] = {"vcpus": 2, "memoryMib": 4096}
    config["idr:bastion"]["flavor"] = "local.large"
    for node in config["idr:releases"]["demo1"]["nodes"].values():
        node["flavor"] = "local.large"


def another_redis(config: dict[str, Any]) -> None:
    config["idr:releases"]["demo1"]["rebuild"] = {"redis": 2}


def test_all_nodes_get_another_image_one_after_another(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        newer = contents.image(cloud.store, "idr-debian-13")
        change_all_nodes(cloud, tmp_path, another_image)
        assert {server["image"]["id"] for server in cloud.store.all("servers")} == {newer["id"]}


def test_all_nodes_get_another_flavor_one_after_another(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        contents.flavor(cloud.store, "local.large", 2, 4096, 10)
        change_all_nodes(cloud, tmp_path, another_flavor)


def change_all_nodes(cloud: FakeCloud, folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    project = local_stack(cloud, folder)
    first = project.pulumi(*UP)
    assert first.returncode == 0, first.stdout
    changes = [step for step in steps.of_update(first.stdout) if step.kind == "Instance"]
    assert max(step.began for step in changes) < max(step.ended for step in changes)
    project.change(change)
    second = project.pulumi(*UP)
    assert second.returncode == 0, second.stdout
    changed = [step for step in steps.of_update(second.stdout) if step.kind == "Instance"]
    spans = {
        name: (min(s.began for s in changed if s.name == name), max(s.ended for s in changed if s.name == name))
        for name in {step.name for step in changed}
    }
    order = sorted(spans, key=lambda name: spans[name])
    assert (len(order), order[0]) == (5, "bastion")
    for earlier, later in pairwise(order):
        assert spans[earlier][1] < spans[later][0], json.dumps(spans)
    assert len(cloud.store.all("servers")) == 5


def test_an_image_uploaded_anew_under_its_name_is_for_newer_servers(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        assert project.pulumi(*UP).returncode == 0
        servers = {server["name"]: server["id"] for server in cloud.store.all("servers")}
        (old,) = cloud.store.all("images", name="idr-debian-12")
        cloud.store.remove("images", old["id"])
        new = contents.image(cloud.store, "idr-debian-12")
        refreshed = project.pulumi("up", "--refresh", *UP[1:])
        assert refreshed.returncode == 0, refreshed.stdout
        assert [step for step in steps.of_update(refreshed.stdout) if step.kind == "Instance"] == []
        assert {server["name"]: server["id"] for server in cloud.store.all("servers")} == servers
        project.change(another_redis)
        rebuilt = project.pulumi(*UP)
        assert rebuilt.returncode == 0, rebuilt.stdout
        images = {server["name"]: server["image"]["id"] for server in cloud.store.all("servers")}
        assert {name for name, image in images.items() if image == new["id"]} == {f"idr-{STACK}-demo1-redis"}
