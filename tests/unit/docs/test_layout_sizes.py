"""The guide's table of layouts has what the layouts need."""

from harness.stacks import ROOT
from idr.init.sizes import sizes


def test_the_guide_has_every_layout_with_its_size() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text()
    for one in sizes():
        assert f"| `{one.layout}` | {one.nodes} | {one.vcpus} | {one.memory_gib} | {one.disk_gib} |" in guide
