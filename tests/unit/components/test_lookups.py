"""What the program looks up in the cloud while it declares: each thing once, however many nodes need it."""

from collections import Counter
from typing import Any

import pytest
from pulumi.runtime import mocks

from components import cloud
from components.deployment import Deployment
from harness import stacks
from tests import declared

LAYOUT = "everything"
"""With a storage network, and with servers that boot from volumes."""


def test_the_cloud_is_asked_once_for_what_many_nodes_need(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    answer = declared.Cloud.call

    def counted(self: declared.Cloud, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        asked[f"{args.token} {sorted(args.args.items())}"] += 1
        return answer(self, args)

    monkeypatch.setattr(declared.Cloud, "call", counted)
    for look_up in (cloud.network_id, cloud.image_id, cloud._volume_zones):
        look_up.cache_clear()
    plan = stacks.plan_of(LAYOUT)
    declared.run(lambda: Deployment(plan, stacks.secrets_of(LAYOUT)), LAYOUT)
    assert len(asked) >= 3
    assert set(asked.values()) == {1}, asked
