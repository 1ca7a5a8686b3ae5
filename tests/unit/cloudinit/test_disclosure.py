"""What the program discloses of the nodes' configuration beside the secret bundles."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloudinit import disclosure as module
from cloudinit import render
from cloudinit.disclosure import disclosure
from tests import stacks

STACKS = ("local", "ebi", "uod")


def disclosed_files(stack: str) -> dict[str, str]:
    files: dict[str, str] = disclosure(stacks.plan_of(stack), verifies_cloud=True)["files"]
    return files


@pytest.mark.parametrize("stack", STACKS)
def test_every_file_that_a_node_is_configured_with_is_disclosed(stack: str) -> None:
    plan, files = stacks.plan_of(stack), disclosed_files(stack)
    for node in plan.nodes:
        for folder in render.configuration_folders(node, plan):
            sources = [file for file in (render.HERE / folder).rglob("*") if file.is_file()]
            assert sources
            assert {str(file.relative_to(stacks.ROOT)) for file in sources} <= files.keys()
    assert {"cloudinit/bootstrap/idr-apply", "cloudinit/render.py", "model/addresses.yaml"} <= files.keys()


def test_a_changed_template_has_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HERE", tmp_path / "cloudinit")
    file = tmp_path / "cloudinit" / "proxy" / "scripts" / "check"
    file.parent.mkdir(parents=True)
    digests = []
    for text in ("exit 1\n", "exit 0\n"):
        file.write_text(text)
        module._of_folder.cache_clear()
        module._digest.cache_clear()
        digests.append(module._of_folder("proxy"))
    module._of_folder.cache_clear()
    module._digest.cache_clear()
    assert [list(found) for found in digests] == [["cloudinit/proxy/scripts/check"]] * 2
    assert digests[0] != digests[1]


def test_a_check_that_is_off_is_not_disclosed() -> None:
    plan = stacks.plan_of("ebi")
    on = disclosure(plan, verifies_cloud=True)["checks"]
    off = disclosure(replace(plan, protect_data=False, configure=False), verifies_cloud=False)["checks"]
    assert set(on) - set(off) == {
        "the cloud's certificate is verified",
        "data volumes are protected",
        "nodes have firewalls of their own",
    }


def test_a_flow_that_the_stack_adds_is_disclosed_with_its_reason() -> None:
    flows = disclosure(stacks.plan_of("local"), verifies_cloud=True)["flows"]
    assert {"from": "proxy", "to": "web", "port": "tcp 4080", "why": "OMERO.web"} in flows
    assert len({json.dumps(flow) for flow in flows}) == len(flows)
