"""What follows from each role: whoever defines a role or a volume must say all of it."""

import dataclasses

import pytest

from model import sizing
from model.outputs import inventory
from model.outputs.topology import topology
from model.release_settings import Flavor
from model.roles import FACTS, Role, RoleFacts, VolumePurpose
from tests import stacks


@pytest.mark.parametrize("role", Role)
def test_a_role_has_a_share_of_its_nodes_memory(role: Role) -> None:
    node = dataclasses.replace(stacks.plan_of("local").nodes[1], roles=(role,), flavor=Flavor(vcpus=1, memory_mib=1024))
    assert sizing.share_mib(node, role) == 1024


@pytest.mark.parametrize("role", [role for role in Role if FACTS[role].volume])
def test_a_volume_has_a_name_in_the_inventory(role: Role) -> None:
    made = stacks.plan_of("ebi")
    found = topology(made, stacks.secrets_of("ebi"))
    volume = FACTS[role].volume
    assert volume is not None
    node = next(node for node in found.nodes if any(v.purpose == volume.name for v in node.volumes))
    changed = node.model_copy(
        update={"roles": (role.value,), "volumes": tuple(v.model_copy(update={"id": "0" * 36}) for v in node.volumes)}
    )
    variables = inventory.ansible(found.model_copy(update={"nodes": (found.nodes[0], changed)}))["_meta"]["hostvars"]
    assert variables[node.name][volume.ansible_variable].startswith("/dev/disk/by-id/")


@pytest.mark.parametrize(("kind", "needed"), [(RoleFacts, "share"), (VolumePurpose, "ansible_variable")])
def test_a_role_or_a_volume_cannot_be_defined_without_what_is_derived_from_it(kind: type, needed: str) -> None:
    field = next(field for field in dataclasses.fields(kind) if field.name == needed)
    assert field.default is dataclasses.MISSING
    assert field.default_factory is dataclasses.MISSING
