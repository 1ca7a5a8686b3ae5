"""Every machine connects to every other at every port of the matrix: allowed connections work, and no others."""

from itertools import product

import pytest

from harness import stacks
from harness.cloud.tenant import Tenant
from model import firewall
from model.firewall import EVERY_NODE, WORLD, End
from model.plan import Node, Plan
from model.planning import plan
from model.programs import SERVER_PORTS
from model.reading import Source, parse

pytestmark = pytest.mark.cloud

IN_TABLE = {flow.port for flow in firewall.FLOWS if flow.transport == "tcp"}
PORTS = sorted(IN_TABLE.difference(SERVER_PORTS[5:]) | {111, 3306})
"""All ports of the matrix, one more for single OMERO.servers than there are, and two that are not in it."""
ASKED = {"root": PORTS, "nobody": sorted({flow.port for flow in firewall.FLOWS if flow.users})}
"""The ports that each account asks: the host firewall lets only some accounts use some flows."""
SECONDS = 4
# All at once: each dropped connection takes seconds.
ASK = """
ask() {{ timeout {seconds} bash -c "</dev/tcp/$1/$2" 2> /dev/null && echo "$1 $2"; }}
for address in {addresses}; do for port in {ports}; do ask $address $port & done; wait; done
true
"""


@pytest.fixture(scope="module")
def planned(whole: Tenant) -> Plan:
    """Return the plan of the running stack."""
    values = stacks.values("local") | {"releases": whole.settings("releases")}
    return plan(parse(values, Source("local", "Pulumi.local.yaml")), "local")


def test_what_the_matrix_allows_answers_between_all_machines_and_nothing_else(whole: Tenant, planned: Plan) -> None:
    service = whole.service()
    wrong = []
    for source in planned.nodes:
        others = [node for node in planned.nodes if node != source]
        addresses = " ".join(str(node.address) for node in others)
        for account, ports in ASKED.items():
            script = ASK.format(seconds=SECONDS, addresses=addresses, ports=" ".join(map(str, ports)))
            printed = service.on(source.name, f"sudo -u {account} bash -s", script)
            answered = {tuple(line.split()) for line in printed.splitlines()}
            for target, port in product(others, ports):
                expected = port in target.listens and allowed(source, target, port, account)
                if ((str(target.address), str(port)) in answered) != expected:
                    should = f"should {'' if expected else 'not '}answer"
                    wrong.append(f"{account} on {source.name} to {target.name}:{port} {should}")
    assert not wrong, "\n".join(wrong)


def allowed(source: Node, target: Node, port: int, account: str) -> bool:
    """Return whether the matrix lets an account of one send and the other receive, from the table itself."""

    def carries(node: Node, end: End) -> bool:
        return end in (EVERY_NODE, WORLD) or end in node.roles

    flows = [flow for flow in firewall.FLOWS if flow.transport == "tcp" and flow.port == port]
    out = any(
        flow.source != WORLD
        and carries(source, flow.source)
        and carries(target, flow.target)
        and (not flow.users or account in flow.users)
        for flow in flows
    )
    into = any(flow.target != WORLD and carries(source, flow.source) and carries(target, flow.target) for flow in flows)
    return out and into
