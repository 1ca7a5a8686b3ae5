"""The proxy's ports for single OMERO.servers: one for each server for programs, if there are several."""

from typing import Any

import pytest

from harness import stacks
from model import balancing, programs
from model.matrix import host_rules
from model.outputs.contract import outputs
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import Role
from tests.golden_files import KNOWN, NamedSecrets


def ebi(*, readonly: int, apart: int = 0) -> Plan:
    """Return the stack `ebi` with this number of read-only servers with OMERO.web, and this number `apart` without."""
    values = stacks.values("ebi")
    nodes: dict[str, Any] = values["releases"]["prod130"]["nodes"]
    group = nodes.pop("omeroreadonly")
    if readonly:
        nodes["omeroweb"] = group | {"roles": ["web", "omero-readonly"], "count": readonly}
    if apart:
        nodes["omeroreadonly"] = group | {"roles": ["omero-readonly"], "count": apart}
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


CASES = {
    "the read-write server alone": (ebi(readonly=0), 0),
    "one read-only server": (ebi(readonly=1), 0),
    "two": (ebi(readonly=2), 2),
    "two, and one without OMERO.web": (ebi(readonly=2, apart=1), 0),
    "two, and three without OMERO.web": (ebi(readonly=2, apart=3), 3),
    "as many as the IDR has ports": (ebi(readonly=19), 19),
    "more than that": (ebi(readonly=20), 19),
}


@pytest.mark.parametrize("case", CASES)
def test_there_is_a_port_for_each_server_of_several(case: str) -> None:
    stack_plan, count = CASES[case]
    ports = tuple(range(14061, 14061 + count))
    (release,) = stack_plan.releases
    (proxy,) = release.with_role(Role.PROXY)
    assert programs.server_ports(release.nodes) == ports
    assert tuple(port for port in proxy.listens if port > 14000) == ports
    for node in stack_plan.nodes:
        opened = tuple(allow.port for allow in host_rules(stack_plan, node).ingress if allow.port > 14000)
        assert opened == (ports if node == proxy else ())
    assert outputs(stack_plan, NamedSecrets("ebi", "unused"), KNOWN)["endpoints"]["omeroServers"] == [
        f"{KNOWN.public}:{port}" for port in ports
    ]


def test_servers_are_numbered_by_their_addresses() -> None:
    (release,) = ebi(readonly=3).releases
    assert [node.alias for node in balancing.omero(release)] == [f"omeroweb-{number}" for number in (1, 2, 3)]
