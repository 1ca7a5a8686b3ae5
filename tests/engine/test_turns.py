"""Another image for every node, on the fake cloud: one server after another is replaced, the bastion first."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests import steps
from tests.fake_cloud import contents
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, local_stack

pytestmark = pytest.mark.engine


def test_all_nodes_get_another_image_one_after_another(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        project = local_stack(cloud, tmp_path)
        up = ("up", "--yes", "--skip-preview", "--json", "--stack", STACK)
        first = project.pulumi(*up)
        assert first.returncode == 0, first.stdout
        made = [step for step in steps.of_update(first.stdout) if step.kind == "Instance"]
        assert max(step.began for step in made) < max(step.ended for step in made)
        contents.image(cloud.store, "idr-debian-13")
        project.change(lambda config: config.update({"idr:image": "idr-debian-13"}))
        second = project.pulumi(*up)
        assert second.returncode == 0, second.stdout
        replaced = [step for step in steps.of_update(second.stdout) if step.kind == "Instance"]
        spans = {
            name: (min(s.began for s in replaced if s.name == name), max(s.ended for s in replaced if s.name == name))
            for name in {step.name for step in replaced}
        }
        order = sorted(spans, key=lambda name: spans[name])
        assert (len(order), order[0]) == (5, "bastion")
        for earlier, later in pairwise(order):
            assert spans[earlier][1] < spans[later][0], json.dumps(spans)
        assert len(cloud.store.all("servers")) == 5
