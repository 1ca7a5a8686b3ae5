"""The alerts use metrics that nodes provide, with labels that these have."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import stacks
from model.outputs.inventory import prometheus
from model.outputs.topology import topology
from tests import programs

RULES = yaml.safe_load((stacks.ROOT / "docs" / "prometheus-rules.yaml").read_text())["groups"][0]["rules"]
OF_OTHERS = {"up", "node_exporter_build_info"}
"""Metrics of Prometheus and of the exporter."""


def given() -> str:
    """Return the metrics that idr-heal writes for one unit and one role."""
    program = programs.load(stacks.ROOT / "cloudinit/common/files/usr/local/sbin/idr-heal")
    healer = program.Healer()
    healer.watches = {"nginx": program.Watch("nginx")}
    health = program.role_health.Health(Path("proxy/health"))
    health.judge(True, "")
    healer.health = {"proxy": health}
    text: str = healer.metrics()
    return text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_nodes_give(rule: dict[str, str]) -> None:
    named = set(re.findall(r"\b(?:idr|node|up)\w*", rule["expr"])) - OF_OTHERS
    text = given()
    assert all(re.search(rf"^{name}[ {{]", text, re.MULTILINE) for name in named)
    assert named or any(name in rule["expr"] for name in OF_OTHERS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_prints_labels_that_it_has(rule: dict[str, Any]) -> None:
    targets = prometheus(topology(stacks.plan_of("local"), stacks.secrets_of("local")))
    labels = {"instance", *set.intersection(*({*target.labels} for target in targets))}
    own = {label for name, label in re.findall(r"^(\w+)\{(\w+)=", given(), re.MULTILINE) if name in rule["expr"]}
    assert not labels & own, "Prometheus would rename the metric's label"
    texts = " ".join([rule["expr"], *rule["annotations"].values()])
    assert set(re.findall(r"\$labels\.(\w+)", texts)) <= labels | own
    assert set(re.findall(r"\{(\w+)!=", texts)) <= labels


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_the_guide_explains_each_alert(rule: dict[str, str]) -> None:
    assert f"| `{rule['alert']}` |" in (stacks.ROOT / "docs" / "guide.md").read_text()
