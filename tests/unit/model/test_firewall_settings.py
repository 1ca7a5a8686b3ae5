"""How settings narrow, close or extend the matrix: proxies of closed sites, networks of operators, mounts, logins."""

import pytest

from harness import stacks
from model.firewall import FETCHERS
from model.matrix import bastion_ports, host_rules
from model.plan import Node, Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role
from tests.unit.model.open_ports import groups, world_ports


def test_raw_images_are_reached_where_they_are_mounted() -> None:
    values = stacks.values("uod")
    values["storageNetwork"] = {"name": "storage", "cidr": "172.16.0.0/16"}
    stack_plan = plan(parse(values, Source("uod", "Pulumi.uod.yaml")), "uod")
    to_storage = {rule.group for rule in stack_plan.releases[0].rules if rule.remote_cidr == "172.16.0.0/16"}
    assert to_storage == {"prod130-omero-readonly", "prod130-omero-readwrite"}
    assert not any(rule.remote_cidr == "0.0.0.0/0" and rule.port == 2049 for rule in stack_plan.releases[0].rules)


@pytest.mark.parametrize(("visitors", "is_open"), [("public", True), ("login", False)])
def test_what_speaks_no_tls_is_closed_where_users_log_in(visitors: str, is_open: bool) -> None:
    stack_plan = plan(
        parse(stacks.values("local") | {"visitors": visitors}, Source("local", "Pulumi.local.yaml")), "local"
    )
    (proxy,) = stack_plan.releases[0].with_role(Role.PROXY)
    assert any(rule.port == 9000 for scope in stack_plan.scopes for rule in scope.rules) == is_open
    assert (
        any(allow.port == 9000 for node in stack_plan.nodes for allow in host_rules(stack_plan, node).ingress)
        == is_open
    )
    assert (9000 in proxy.listens, 9000 in bastion_ports(stack_plan)) == (is_open, is_open)


def test_a_closed_site_reaches_its_proxies() -> None:
    values = stacks.values("uod") | {"proxies": {"http": "http://squid.example.org:3128"}}
    stack_plan = plan(parse(values, Source("uod", "Pulumi.uod.yaml")), "uod")
    assert {rule.group for rule in stack_plan.releases[0].rules if rule.port == 3128} == {"prod130-node"}


PROXIES = {"packages": "http://cache.example.org:3142", "http": "http://user:pass@192.0.2.10:3128"}


def fetched(stack_plan: Plan, node: Node) -> set[tuple[int, str, tuple[str, ...]]]:
    """Return where a node may download from, by both firewalls: ports, networks, and accounts of its own firewall."""
    by_groups = {
        (rule.port, rule.remote_cidr)
        for rule in stack_plan.scope_of(node).rules
        if rule.direction == "egress" and rule.group in groups(node)
    }
    lines = (line for line in host_rules(stack_plan, node).egress if line.why.startswith(("packages", "the cloud's")))
    allowed = {(line.port, peer, line.users) for line in lines for peer in line.peers}
    assert {(port, peer) for port, peer, _ in allowed} <= by_groups
    return allowed


@pytest.mark.parametrize(
    ("network", "cache"), [(None, "0.0.0.0/0"), ("192.0.2.0/28", "192.0.2.0/28")], ids=["names", "names in a network"]
)
def test_a_closed_site_fetches_through_its_proxies_alone(network: str | None, cache: str) -> None:
    proxies = {**PROXIES, "network": network} if network else PROXIES
    stack_plan = plan(
        parse({**stacks.values("local"), "proxies": proxies}, Source("local", "Pulumi.local.yaml")), "local"
    )
    for node in stack_plan.nodes:
        assert fetched(stack_plan, node) == {
            (80, "169.254.169.254/32", ()),
            (3128, "192.0.2.10/32", FETCHERS),
            (3142, cache, FETCHERS),
        }
    out = (rule for scope in stack_plan.scopes for rule in scope.rules if rule.direction == "egress")
    assert {80, 443}.isdisjoint(rule.port for rule in out if rule.remote_cidr == "0.0.0.0/0")


def test_nobody_but_root_and_apt_fetches_from_the_world() -> None:
    stack_plan = stacks.plan_of("local")
    for node in stack_plan.nodes:
        assert fetched(stack_plan, node) == {(port, "0.0.0.0/0", FETCHERS) for port in (80, 443)}


def test_ssh_and_omero_clients_come_from_the_stacks_networks_alone() -> None:
    values = stacks.values("local") | {"sshFrom": ["192.0.2.0/28", "192.0.2.77/32"], "omeroFrom": ["192.0.2.128/25"]}
    values["releases"]["demo1"]["nodes"]["omeroreadonly"] = {
        "roles": ["omero-readonly"],
        "flavor": "local.small",
        "count": 2,
    }
    stack_plan = plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")
    clients = {"192.0.2.128/25"}
    expected = {22: {"192.0.2.0/28", "192.0.2.77/32"}, 4064: clients, 14061: clients, 14062: clients}
    for port, alias in ((22, "bastion"), (4064, "proxy"), (14061, "proxy"), (14062, "proxy")):
        (node,) = (node for node in stack_plan.nodes if node.alias == alias)
        inside = {str(scope.subnet.cidr) for scope in stack_plan.scopes}
        by_host = {peer for line in host_rules(stack_plan, node).ingress if line.port == port for peer in line.peers}
        by_groups = {
            rule.remote_cidr
            for rule in stack_plan.scope_of(node).rules
            if (rule.port, rule.direction) == (port, "ingress") and rule.group in groups(node) and rule.remote_cidr
        }
        assert {peer for peer in by_host if peer.startswith("192.0.2.") or peer.endswith("/0")} == expected[port]
        assert by_groups - inside - by_host == set()
        assert expected[port] <= by_groups
        assert "0.0.0.0/0" not in by_groups
    assert world_ports(stack_plan, next(node for node in stack_plan.nodes if node.alias == "proxy")) == {80, 443}
