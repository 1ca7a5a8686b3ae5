"""The search engine of examples/search-engine in plan, firewalls and proxy. tests/soak runs it."""

import copy
import subprocess
from typing import Any

import yaml

from harness import stacks
from harness.rendered import files
from model.firewall import Rule
from model.overrides import merge
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role
from tests.search_engine import EXAMPLE, ROLE, node_of, plan_of

SNAPSHOT = "0f8c1f0e-6a3e-4a53-9f0e-0b8d4bfbd001"


def test_it_is_a_node_with_a_volume_that_is_protected_and_has_room_for_the_index() -> None:
    node = node_of(plan_of())
    assert str(node.address).endswith(".31")
    assert [(volume.purpose, volume.mount) for volume in node.volumes] == [("search", "/srv/search")]
    assert {"haproxy", "openjdk-17-jre-headless", "xfsprogs"} <= set(node.packages)


def test_a_release_gets_a_copy_of_the_index_by_a_snapshot() -> None:
    values: dict[str, Any] = merge(stacks.values("idr"), yaml.safe_load((EXAMPLE / "idr.yaml").read_text()))
    group = copy.deepcopy(values["releases"]["prod130"]["nodes"]["searchengine"])
    group["volumes"]["search"]["source"] = {"snapshot": SNAPSHOT, "sizeGib": 100}
    values["releases"]["prod130"]["nodes"]["searchengine"] = group
    (volume,) = node_of(plan(parse(values, Source("idr", "Pulumi.idr.yaml")), "idr")).volumes
    assert volume.source
    assert str(volume.source.snapshot) == SNAPSHOT
    assert not volume.is_new


def test_the_proxy_alone_reaches_the_application_and_nobody_the_engine() -> None:
    stack_plan = plan_of()
    assert node_of(stack_plan).listens == (22, 5577, 9100)

    def named(rule: Rule) -> bool:
        return "searchengine" in rule.group and rule.direction == "ingress"

    open_rules = {(rule.port, rule.remote_group) for scope in stack_plan.scopes for rule in scope.rules if named(rule)}
    assert open_rules == {(5577, "prod130-proxy")}


def test_the_proxy_answers_its_addresses() -> None:
    stack_plan = plan_of()
    proxy = stack_plan.releases[0].with_role(Role.PROXY)[0]
    texts = files(proxy, stack_plan, stacks.secrets_of("idr"))
    assert any("location ^~ /searchengine/" in text or "location /searchengine/" in text for text in texts.values())


def test_the_engine_listens_on_the_machine_itself_alone() -> None:
    stack_plan = plan_of()
    texts = files(node_of(stack_plan), stack_plan, stacks.secrets_of("idr"))
    engine = yaml.safe_load(texts["/etc/searchengine/engine.yml"])
    assert (engine["http.host"], engine["transport.host"]) == ("127.0.0.1", "127.0.0.1")
    assert engine["path.data"].startswith("/srv/search/")
    assert yaml.safe_load(texts["/etc/searchengine/.app_config.yml"])["ELASTICSEARCH_URL"] == "https://localhost:9243"


def test_its_scripts_are_valid() -> None:
    scripts = [str(script) for script in (ROLE / "scripts").iterdir()]
    done = subprocess.run(["shellcheck", "-x", *scripts], cwd=stacks.ROOT, capture_output=True, text=True, check=False)
    assert (len(scripts) > 5, done.returncode, done.stdout) == (True, 0, "")
