"""Previews of stack files by the real engine and plugins; no cloud is asked.

tests/soak/test_preview.py has the stack files that are not here.
"""

from collections import Counter

import pytest
import yaml

from harness import stacks
from harness.project import Project

pytestmark = pytest.mark.engine


def kinds(preview: dict[str, list[dict[str, dict[str, str]]]]) -> Counter[str]:
    return Counter(step["newState"]["type"] for step in preview["steps"])


QUICK = ("ebi", "single-node")


@pytest.mark.parametrize("stack", QUICK)
def test_a_reviewer_without_credentials_sees_the_whole_stack(project: Project, stack: str) -> None:
    shows_whole_stack(project, stack)


def shows_whole_stack(project: Project, stack: str) -> None:
    assert project.pulumi("stack", "init", stack).returncode == 0
    preview = project.preview(stack)
    plan = stacks.plan_of(stack)
    resources = kinds(preview)
    assert resources["openstack:compute/instance:Instance"] == len(plan.nodes)
    assert resources["openstack:networking/port:Port"] == len(plan.nodes)
    assert resources["openstack:blockstorage/volume:Volume"] == sum(len(node.volumes) for node in plan.nodes)
    assert resources["openstack:networking/floatingIp:FloatingIp"] == 2
    assert resources["command:remote:Command"] == len(plan.nodes)
    assert {step["op"] for step in preview["steps"]} == {"create"}


def test_what_the_cloud_has_already_is_used_and_not_created(project: Project) -> None:
    file = project.folder / "Pulumi.uod.yaml"
    document = yaml.safe_load(file.read_text())
    config = document["config"]
    config["idr:router"] = "shared-router"
    config["idr:floatingIps"] = {"public": "192.0.2.10", "bastion": "192.0.2.11"}
    config["idr:keypair"] = "idr-deployment-key"
    config["idr:storageNetwork"] = {"name": "storage", "cidr": "172.16.0.0/16"}
    config["idr:bastion"]["existingNetwork"] = "management"
    release = config["idr:releases"]["prod130"]
    release["existingNetwork"] = "idr"
    release["nodes"]["database"]["volumes"]["db"]["existing"] = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    release["nodes"]["redis"]["bootVolumeGib"] = 20
    file.write_text(yaml.safe_dump(document))
    assert project.pulumi("stack", "init", "uod").returncode == 0
    preview = project.preview("uod")
    resources = kinds(preview)
    plan = stacks.plan_of("uod")
    for kind in ("networking/router:Router", "networking/network:Network", "networking/floatingIp:FloatingIp"):
        assert resources[f"openstack:{kind}"] == 0
    assert resources["openstack:networking/port:Port"] == len(plan.nodes) + 5
    assert resources["openstack:blockstorage/volume:Volume"] == sum(len(node.volumes) for node in plan.nodes) - 1
    assert resources["openstack:compute/volumeAttach:VolumeAttach"] == sum(len(node.volumes) for node in plan.nodes)
    servers = [step["newState"] for step in preview["steps"] if step["newState"]["type"].endswith(":Instance")]
    booted = {server["inputs"]["name"] for server in servers if "blockDevices" in server["inputs"]}
    assert booted == {"idr-uod-prod130-redis"}
    assert {server["inputs"]["keyPair"] for server in servers} == {"idr-deployment-key"}


def test_a_mistake_in_the_stack_file_is_one_clear_message(project: Project) -> None:
    file = project.folder / "Pulumi.ebi.yaml"
    file.write_text(file.read_text().replace("sizeGib: 800", "sizeGib: -1"))
    assert project.pulumi("stack", "init", "ebi").returncode == 0
    done = project.pulumi("preview", "--stack", "ebi")
    assert done.returncode != 0
    assert (
        "Pulumi.ebi.yaml: idr:releases.prod130.nodes.database.volumes.db.sizeGib: "
        "must be at least 1 (given: -1)" in done.stdout
    )
    assert "Traceback" not in done.stdout + done.stderr


def test_an_up_without_what_only_an_operator_knows_creates_nothing(project: Project) -> None:
    assert project.pulumi("stack", "init", "ebi").returncode == 0
    done = project.pulumi("up", "--stack", "ebi", "--yes", "--skip-preview")
    assert done.returncode != 0
    for key in ("stackSecret", "image", "externalNetwork", "omero.server.sha256"):
        assert f"Pulumi.ebi.yaml: idr:{key}: is not set yet" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    export = project.pulumi("stack", "export", "--stack", "ebi")
    assert '"type": "openstack' not in export.stdout
