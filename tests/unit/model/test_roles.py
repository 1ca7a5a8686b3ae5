"""Every role is described, completely and without contradiction; what is derived from a description fits it."""

import pytest

from dev.image.rootfs import guest_packages
from harness import stacks
from model import sizing
from model.outputs import inventory
from model.outputs.topology import NodeView, Topology, topology
from model.release_settings import Flavor
from model.role_description import (
    COMMON,
    FOLDER,
    Distribution,
    Feature,
    Number,
    RoleDescription,
    RoleError,
    RoleFacts,
)
from model.roles import DESCRIPTIONS, FACTS, Role, applied_roles, facts_of
from model.systems import DEBIAN, packages


@pytest.mark.parametrize("name", ["role.yaml", "files.yaml", "scripts"])
def test_every_folder_of_configuration_is_whole(name: str) -> None:
    folders = {folder.name for folder in FOLDER.iterdir() if (folder / "scripts").is_dir()}
    assert {file.parent.name for file in FOLDER.glob(f"*/{name}")} == folders == set(DESCRIPTIONS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"web": RoleDescription()}, "cloudinit/web/role.yaml: node: is required, because `Role` names this role"),
        ({"new": DESCRIPTIONS["web"]}, "cloudinit/new/role.yaml: node: `Role` in model/roles.py lacks this role"),
    ],
)
def test_a_role_without_a_description_and_a_description_without_a_role_are_named(
    change: dict[str, RoleDescription], message: str
) -> None:
    with pytest.raises(RoleError) as caught:
        facts_of(DESCRIPTIONS | change)
    assert str(caught.value) == message


@pytest.mark.parametrize("role", Role)
def test_a_role_is_applied_by_its_own_folder(role: Role) -> None:
    assert applied_roles((role,), Distribution.OFFICIAL)[0] == COMMON
    assert role in applied_roles((role,), Distribution.OFFICIAL)


@pytest.mark.parametrize("name", [name for name, about in DESCRIPTIONS.items() if not about.node])
def test_a_role_that_no_stack_file_names_is_applied_for_one(name: str) -> None:
    applied = (applied_roles((role,), kind, tuple(Feature)) for role in Role for kind in Distribution)
    assert any(name in roles for roles in applied)


@pytest.mark.parametrize("role", Role)
def test_the_guest_image_has_every_package_of_a_role(role: Role) -> None:
    assert set(packages(DEBIAN, [role], Distribution.DEMO, tuple(Feature))) <= set(guest_packages())


@pytest.mark.parametrize("role", [role for role in Role if FACTS[role].per_release != Number.ANY])
def test_a_block_of_addresses_has_room_for_the_nodes_of_a_release(role: Role) -> None:
    facts = FACTS[role]
    single = facts.per_release in (Number.NONE, Number.ONE, Number.AT_MOST_ONE)
    assert (facts.first_host == facts.last_host) == single


@pytest.mark.parametrize("role", Role)
def test_a_role_has_a_share_of_its_nodes_memory(role: Role) -> None:
    assert sizing.share_mib(Flavor(vcpus=1, memory_mib=1024), (role,), role) == 1024


def with_volume(purpose: str) -> tuple[Topology, NodeView]:
    """Return a stack that has a data volume of this purpose, and its node."""
    for stack in (*stacks.LAYOUTS, *stacks.EVERYTHING):
        stack_topology = topology(stacks.plan_of(stack), stacks.secrets_of(stack))
        for node in stack_topology.nodes:
            if any(volume.purpose == purpose for volume in node.volumes):
                return stack_topology, node
    pytest.fail(f"no stack has the volume '{purpose}': add a node to harness/layouts/Pulumi.everything.yaml")


@pytest.mark.parametrize("role", [role for role in Role if FACTS[role].volume])
def test_a_volume_has_a_name_in_the_inventory(role: Role) -> None:
    volume = FACTS[role].volume
    assert volume is not None
    stack_topology, node = with_volume(volume.name)
    changed = node.model_copy(
        update={"roles": (role.value,), "volumes": tuple(v.model_copy(update={"id": "0" * 36}) for v in node.volumes)}
    )
    variables = inventory.ansible(stack_topology.model_copy(update={"nodes": (stack_topology.nodes[0], changed)}))[
        "_meta"
    ]["hostvars"]
    assert variables[node.name][volume.variable()].startswith("/dev/disk/by-id/")


def test_a_role_cannot_be_described_without_its_share_of_memory() -> None:
    assert RoleFacts.model_fields["memory_share"].is_required()
