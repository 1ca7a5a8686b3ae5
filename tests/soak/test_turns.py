"""Another flavor for every node, on the fake cloud; `make test` has another image."""

from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_turns import change_all_nodes
from tests.fake_cloud import contents
from tests.fake_cloud.cloud import FakeCloud

pytestmark = pytest.mark.engine


def another_flavor(config: dict[str, Any]) -> None:
    config["idr:flavors"]["local.large"] = {"vcpus": 2, "memoryMib": 4096}
    config["idr:bastion"]["flavor"] = "local.large"
    for node in config["idr:releases"]["demo1"]["nodes"].values():
        node["flavor"] = "local.large"


def test_all_nodes_get_another_flavor_one_after_another(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        contents.flavor(cloud.store, "local.large", 2, 4096, 10)
        change_all_nodes(cloud, tmp_path, another_flavor)
