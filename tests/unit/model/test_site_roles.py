"""A site's own role in plan, firewalls and outputs, from its folder alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudinit.render import bundle
from harness import stacks
from idr.diagram.boxes import SERVICE, picture
from model import sizing
from model.firewall import Rule
from model.matrix import host_rules
from model.outputs import inventory
from model.outputs.contract import outputs
from model.outputs.metadata import server_metadata
from model.outputs.topology import Topology, topology
from model.plan import Plan
from model.reading import SettingsError
from model.replacement import DeployedServer, order
from model.secrets import of_settings
from tests import site_roles
from tests.golden_files import KNOWN, NamedSecrets
from tests.site_roles import ROLE, VOLUME, change, copied, example_node, example_plan, plan_of, reduce

SECRETS = NamedSecrets("local", "unused")
NODE = "demo1-about"


def rules_of(plan: Plan, word: str) -> set[tuple[str, str, int, str]]:
    """Return the rules with a word in their group or remote: group, direction, port, remote."""

    def plain(rule: Rule) -> tuple[str, str, int, str]:
        return rule.group, rule.direction, rule.port, rule.remote_group or rule.remote_cidr or ""

    rules = [plain(rule) for scope in plan.scopes for rule in scope.rules]
    return {rule for rule in rules if word in rule[0] or word in rule[3]}


def test_a_node_has_what_the_folder_says() -> None:
    node = example_node(example_plan())
    assert (node.name, str(node.address), node.listens) == (NODE, "10.130.1.61", (22, 8443, 9100))
    assert node.security_groups == ("demo1-about", "demo1-node")
    assert {"nginx", "openssl", "nftables"} <= set(node.packages)
    assert sizing.share_mib(node.flavor, node.roles, node.roles[0]) == node.flavor.memory_mib


def test_without_the_role_the_plan_is_as_it_was() -> None:
    given = stacks.values("local")
    without, unused = plan_of(given), plan_of(given | {"siteRoles": site_roles.SETTING})
    assert replace(unused, settings=without.settings) == without


def test_its_flows_location_and_metrics_are_open_in_both_firewalls_and_nothing_else_is() -> None:
    plan = example_plan()
    assert rules_of(plan, "about") == {
        ("demo1-about", "ingress", 8443, "10.130.0.10/32"),
        ("demo1-about", "ingress", 8443, "demo1-proxy"),
        ("demo1-proxy", "egress", 8443, "demo1-about"),
    }
    proxy = plan.releases[0].nodes[3]
    assert [allow.port for allow in host_rules(plan, proxy).egress if "10.130.1.61/32" in allow.peers] == [8443]
    whole = host_rules(plan, example_node(plan)).ingress
    assert {(allow.port, peer) for allow in whole for peer in allow.peers if allow.port == 8443} == {
        (8443, "10.130.0.10/32"),
        (8443, "10.130.1.50/32"),
    }


def test_a_management_node_reads_its_metrics(tmp_path: Path) -> None:
    given = copied(tmp_path)
    given["releases"]["demo1"]["nodes"]["management"] = {"roles": ["management"], "flavor": "local.small"}
    plan = plan_of(given, tmp_path)
    assert ("demo1-about", "ingress", 8443, "demo1-management") in rules_of(plan, "about")
    target = outputs(plan, SECRETS, KNOWN)["prometheusTargets"][-1]
    assert target == {
        "targets": ["10.130.1.61:8443"],
        "labels": {
            "stack": "local",
            "release": "demo1",
            "node": NODE,
            "roles": ROLE,
            "role": ROLE,
            "__metrics_path__": "/metrics",
            "__scheme__": "https",
        },
    }


def test_a_flow_joins_a_role_of_the_program_and_another_of_the_site(tmp_path: Path) -> None:
    given = copied(tmp_path, ROLE, "partner")
    change(tmp_path, flows=[{"to": "redis", "ports": [6379], "why": "keeps"}])
    called = [{"from": ROLE, "ports": [9200], "why": "searches"}]
    metrics = {"port": 8443}
    reduce(tmp_path, "partner", node={"lastHost": 31}, flows=called, metrics=metrics)
    given["releases"]["demo1"]["nodes"]["partner"] = {"roles": ["partner"], "flavor": "local.small"}
    plan = plan_of(given, tmp_path)
    assert ("demo1-partner", "ingress", 9200, "demo1-about") in rules_of(plan, "partner")
    assert ("demo1-redis", "ingress", 6379, "demo1-about") in rules_of(plan, "redis")
    assert next(node for node in plan.nodes if node.name == "demo1-partner").listens == (22, 8443, 9100, 9200)


def test_its_passwords_can_be_rotated_one_by_one(tmp_path: Path) -> None:
    given = copied(tmp_path)
    change(tmp_path, passwords=["admin", "reader"])
    site_roles.protect_page(tmp_path)
    (tmp_path / "site" / ROLE / "files" / "srv" / "about" / "index.html.j2").write_text(
        "{{ passwords['about/admin'] }} {{ passwords['about/reader'] }}"
    )

    def written(**settings: Any) -> list[str]:
        plan = plan_of(given | settings, tmp_path)
        secrets = of_settings(plan.settings, "local", "a stack secret for tests, nowhere else in use")
        files = json.loads(bundle(example_node(plan), plan, secrets, {}))["files"]
        (page,) = (str(file["content"]) for file in files if file["path"] == "/srv/about/index.html")
        return page.split()

    admin, reader = written()
    assert admin != reader
    renewed = written(rotations={"password/demo1/about/admin": 2})
    assert renewed[0] not in (admin, reader)
    assert renewed[1] == reader
    with pytest.raises(SettingsError, match="'password/demo1/about/root' is the name of no secret of this stack"):
        written(rotations={"password/demo1/about/root": 2})


def test_a_stacks_own_flows_may_name_it_and_say_nothing_twice() -> None:
    flow = {"from": ROLE, "to": "database", "ports": [5432], "why": "reads"}
    plan = plan_of(site_roles.values() | {"flows": [flow]})
    assert ("demo1-database", "ingress", 5432, "demo1-about") in rules_of(plan, "about")
    with pytest.raises(SettingsError, match=r"flows\.0: proxy to about, tcp 8443: the matrix has it already"):
        plan_of(site_roles.values() | {"flows": [{"from": "proxy", "to": ROLE, "ports": [8443], "why": "again"}]})


def test_it_is_in_inventory_labels_and_diagram() -> None:
    plan = example_plan()
    node = example_node(plan)
    hosts = inventory.ansible(topology(plan, SECRETS))
    assert hosts["about-hosts"] == hosts["demo1-about-hosts"] == {"hosts": [NODE]}
    assert hosts["_meta"]["hostvars"][NODE]["idr_roles"] == [ROLE]
    assert "about-hosts" in server_metadata(node, plan)["groups"]
    (box,) = (box for box in picture(topology(plan, SECRETS)).boxes if box.name == NODE)
    assert box.column == SERVICE
    lines = {(line.source, line.target): line.ports for line in picture(topology(plan, SECRETS)).lines}
    assert lines["demo1-proxy", NODE] == ("8443",)


def test_outputs_without_such_a_role_have_no_new_field() -> None:
    shown = outputs(stacks.plan_of("local"), SECRETS, KNOWN)["topology"]
    assert not any("metrics" in node for node in shown["nodes"])
    assert Topology.model_validate(shown).nodes[0].metrics == ()


def test_its_nodes_are_configured_one_after_another() -> None:
    given = site_roles.values()
    given["releases"]["demo1"]["nodes"]["about"]["count"] = 2
    plan = plan_of(given)
    there = {n.name: DeployedServer(n.image, str(n.rebuild), n.zone, n.flavor_name, 1) for n in plan.nodes}
    assert ("demo1-about-1", "demo1-about-2") in order(plan, there).configurations


def test_it_keeps_a_volume(tmp_path: Path) -> None:
    given = copied(tmp_path)
    change(tmp_path, node={"volume": VOLUME})
    given["releases"]["demo1"]["nodes"]["about"]["volumes"] = {"pages": {"sizeGib": 2}}
    plan = plan_of(given, tmp_path)
    (volume,) = example_node(plan).volumes
    assert (volume.name, volume.size_gib, volume.mount) == ("demo1-about-pages", 2, "/srv/about")
    assert "xfsprogs" in example_node(plan).packages
    known = topology(plan, SECRETS)
    node = next(node for node in known.nodes if node.name == NODE)
    there = node.model_copy(update={"volumes": tuple(v.model_copy(update={"id": "0" * 36}) for v in node.volumes)})
    hosts = inventory.ansible(known.model_copy(update={"nodes": (known.nodes[0], there)}))
    assert hosts["_meta"]["hostvars"][NODE]["pages_vol_dev"].startswith("/dev/disk/by-id/")
