"""Nodes of the deployed version accept the present program's bundles; tests/soak updates them on clouds."""

import json
import os
from pathlib import Path

import pytest

from cloudinit import render
from harness import stacks
from model.role_description import FOLDER
from tests import deployed, programs

pytestmark = pytest.mark.engine


def test_the_idr_apply_that_is_deployed_hands_every_bundle_to_the_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine keeps its bootstrap: the idr-apply on it is the first program that reads a new bundle."""
    deployed.put_program(tmp_path, deployed.COMMIT)
    script = tmp_path / "cloudinit" / "bootstrap" / "idr-apply"
    old, before = programs.load(script), script.read_text()
    where = str(old.MYSELF)
    monkeypatch.setattr(old, "MYSELF", script)
    started: list[str] = []
    monkeypatch.setattr(os, "execv", lambda path, _arguments: started.append(path))
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    plan = stacks.plan_of("ebi")
    for node in plan.nodes:
        volumes = {volume.purpose: volume.name for volume in node.volumes}
        text = render.bundle(node, plan, stacks.secrets_of("ebi"), volumes)
        bundle = json.loads(text)
        (entry,) = (entry for entry in bundle["files"] if entry["path"] == where)
        entry["path"] = str(script)
        old.renew(bundle, text)
        assert script.read_text() == (FOLDER / "bootstrap" / "idr-apply").read_text()
        script.write_text(before)
    assert started == [str(script)] * len(plan.nodes)
