"""Prometheus' own checker reads the targets of the outputs, and tests the alerts."""

import json
from pathlib import Path

import pytest

from dev import debian
from harness.stacks import ROOT
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


NODE = 'instance="10.0.0.1:9100", node="n", stack="s"'
OTHER = 'instance="10.0.0.2:9100"'
SERIES = {
    f'idr_role_healthy{{role="nfs", {NODE}}}': "1x9 0x50",
    f'idr_role_healthy{{role="common", {NODE}}}': "1x59",
    # The last evaluation is 20 minutes after the beginning.
    f"idr_role_last_look_timestamp_seconds{{{NODE}}}": "0+60x20 1200x39",
    f"node_exporter_build_info{{{NODE}}}": "1x90",
    f"node_exporter_build_info{{{OTHER}}}": "1x90",
    f"up{{{NODE}}}": "1x59 0x20",
    f"up{{{OTHER}}}": "0x90",
    f'idr_heal_restarts_total{{unit="nginx", {NODE}}}': "0x9 1x9 2x9 3x50",
}
ALERTS = [
    ("IdrRoleUnhealthy", 14, 15),
    ("IdrHealthUnknown", 64, 66),
    ("IdrNodeAway", 64, 65),
    ("IdrServiceRestartsAgainAndAgain", 29, 30),
]
"""For each alert the last minute without it, and the first minute with it."""


@pytest.mark.parametrize(("alert", "before", "after"), ALERTS)
def test_an_alert_is_raised_for_its_cause_and_no_other(tmp_path: Path, alert: str, before: int, after: int) -> None:
    debian.ensure(["prometheus"], print)
    for minute, number in ((before, 0), (after, 1)):
        tried = {
            "rule_files": [str(ROOT / "docs" / "prometheus-rules.yaml")],
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                    "promql_expr_test": [
                        {
                            "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
                            "eval_time": f"{minute}m",
                            "exp_samples": [{"labels": "{}", "value": number}],
                        }
                    ],
                }
            ],
        }
        file = tmp_path / f"{minute}.json"
        file.write_text(json.dumps(tried))
        done = run("promtool", "test", "rules", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
