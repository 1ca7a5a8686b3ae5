"""The guide's example outputs: a newcomer without a stack can try the commands that read saved outputs."""

import subprocess
from pathlib import Path

from harness.stacks import ROOT
from tests import docs


def test_the_commands_that_read_saved_outputs_work_on_the_example(tmp_path: Path) -> None:
    (block,) = (one for one in docs.blocks(ROOT / "docs" / "guide.md") if "example.json" in one.text)
    for name in (".venv", "bin", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(["bash", "-euc", block.text], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"demo1-database"' in done.stdout
    assert (tmp_path / "example.svg").read_text().startswith("<svg")
