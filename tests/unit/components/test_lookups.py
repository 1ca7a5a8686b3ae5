"""What the program looks up in the cloud while it declares: each thing once, however many nodes need it."""

from collections import Counter
from typing import Any

import pulumi
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


@pytest.mark.parametrize(("preview", "asked_at_once"), [(True, 0), (False, 1)])
def test_a_preview_declares_what_it_can_before_it_asks(
    preview: bool, asked_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update must not begin without the answers."""
    asked: list[str] = []
    answer = declared.Cloud.call

    def noted(self: declared.Cloud, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        asked.append(args.token)
        return answer(self, args)

    def program() -> None:
        router = cloud.router_id("a router")
        assert len(asked) == asked_at_once
        cloud.look_up()
        assert len(asked) == 1
        pulumi.Output.from_input(router).apply(router_ids.append)

    router_ids: list[str] = []
    monkeypatch.setattr(declared.Cloud, "call", noted)
    monkeypatch.setenv("OS_CLOUD", "here")
    declared.run(program, LAYOUT, preview=preview)
    assert router_ids == ["<id of router a router>"]
