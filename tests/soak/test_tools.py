"""Prometheus' own checker reads the targets that the stack tells it."""

import json
from pathlib import Path

import pytest

from dev import debian
from tests.cloud.test_tools import IDR, outputs, run

__all__ = ["outputs"]

pytestmark = pytest.mark.cloud


def test_promtool_accepts_the_targets(outputs: Path, tmp_path: Path) -> None:
    debian.ensure(["prometheus"], print)
    run(IDR, "inventory", "--from", str(outputs), "--format", "prometheus", "--output", str(tmp_path / "idr.json"))
    config = tmp_path / "prometheus.yml"
    config.write_text(
        json.dumps({"scrape_configs": [{"job_name": "node", "file_sd_configs": [{"files": ["idr.json"]}]}]})
    )
    done = run("promtool", "check", "config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    check_result = run("promtool", "check", "service-discovery", str(config), "node")
    assert [result["labels"]["node"] for result in json.loads(check_result.stdout)], check_result.stderr
