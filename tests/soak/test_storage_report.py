"""`idr storage report` of 100,000 files with faults of every kind: it names all and no others, in constant memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.stacks import ROOT
from tests import omero_tree, postgres

FILES, PLANTED = 100_000, 200
SMALL = 20_000
MOST_GROWTH_MIB = 10
# A separate process runs the scan, so that its memory can be measured; it also reads new files.
SCAN = """
import sys
from pathlib import Path
from idr.storage.scan import __main__ as program
from idr.storage.scan.database import Database
from idr.storage.scan.report import Report
program.CLOCKS_SECONDS = -86400
database, data, cache, share = sys.argv[1:]
program.scan(Database(database), Path(data), Path(cache), [Path(share)], Report(sys.stdout))
"""


@pytest.mark.parametrize("files", [SMALL, FILES])
def test_all_planted_faults_are_found_in_flat_memory(tmp_path: Path, files: int, memories: dict[int, int]) -> None:
    tree = omero_tree.make(tmp_path, files, PLANTED)
    with postgres.server() as server:
        given = [tree.load(server), str(tree.data), str(tree.cache), str(tree.share)]
        done = subprocess.run(
            [sys.executable, "-c", SCAN, *given], cwd=ROOT, capture_output=True, text=True, check=True
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    faults = [(line["kind"], line["path"]) for line in lines if "kind" in line]
    report = lines[-1]["report"]
    assert set(faults) == tree.faults
    assert len(faults) == len(tree.faults)
    memories[files] = report["memoryMib"]
    print(f"{files} files, {len(faults)} faults: {report['seconds']} s, {report['memoryMib']} MiB")
    assert max(memories.values()) - min(memories.values()) <= MOST_GROWTH_MIB


@pytest.fixture(scope="module")
def memories() -> dict[int, int]:
    """Return the memory for each number of files."""
    return {}
