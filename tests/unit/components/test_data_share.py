"""A Manila share as the program declares it: kept, open to its nodes, and mounted from the cloud's address."""

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.data_share import location
from harness import stacks
from model import shares
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from tests import declared

RAW = {"kind": "share", "name": "raw", "mount": "/uod/idr", "sizeGib": 500}
SHARE = "openstack:sharedfilesystem/share:Share raw"
RULE = "openstack:sharedfilesystem/shareAccess:ShareAccess raw-"
WRITER, READER = "prod130-omeroreadwrite", "prod130-omeroreadonly-1"


def ebi(**others: Any) -> Plan:
    values = stacks.values("ebi") | {"storage": [RAW], "storageNetwork": None} | others
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


def resources(stack_plan: Plan) -> dict[str, declared.Record]:
    return declared.resources(stack_plan, stacks.secrets_of("ebi"))


def test_no_change_of_the_settings_replaces_or_deletes_it() -> None:
    share = resources(ebi())[SHARE]
    assert share["protect"] is True
    # All fields whose change makes the provider replace a share, except the region.
    assert set(share["ignoreChanges"]) == {
        *("shareProto", "shareType", "shareNetworkId", "snapshotId", "availabilityZone")
    }
    assert share["inputs"]["metadata"] == {"idr_stack": "ebi"}


def test_each_node_is_let_in_by_its_address_before_it_is_configured() -> None:
    stack_plan = ebi()
    declared_resources = resources(stack_plan)
    addresses = {node.name: str(node.address) for node in stack_plan.nodes}
    for node, level in ((WRITER, "rw"), (READER, "ro")):
        inputs = declared_resources[RULE + node]["inputs"]
        assert (inputs["accessTo"], inputs["accessLevel"], inputs["accessType"]) == (addresses[node], level, "ip")
        assert RULE + node in declared_resources[f"idr:configuration:Configuration {node}"]["dependsOn"]
        assert SHARE in declared_resources[f"command:remote:Command {node}"]["dependsOn"]
    others = {name for name in addresses if RULE + name not in declared_resources}
    for node in others:
        assert SHARE not in declared_resources[f"command:remote:Command {node}"]["dependsOn"], node


def test_where_there_is_a_network_of_storage_servers_its_address_counts() -> None:
    declared_resources = resources(ebi(storageNetwork={"name": "storage", "cidr": "10.35.0.0/24"}))
    assert declared_resources[RULE + READER]["inputs"]["accessTo"] == f"<address of {READER}-storage>"


def test_a_share_elsewhere_than_where_nfs_is_open_ends_the_update() -> None:
    stack_plan = ebi(storageNetwork={"name": "storage", "cidr": "10.99.0.0/24"})
    with pytest.raises(pulumi.RunError, match=r"not in storageNetwork.cidr 10.99.0.0/24"):
        location(shares.of(stack_plan)[0], [SimpleNamespace(path="10.35.0.7:/a", preferred="true")], stack_plan)


def test_a_stack_without_shares_declares_nothing_of_them() -> None:
    declared_resources = declared.resources(stacks.plan_of("ebi"), stacks.secrets_of("ebi"))
    assert not [name for name in declared_resources if "hare" in name.split(" ")[0]]
