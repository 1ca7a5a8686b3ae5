"""Buckets that OMERO nodes mount: the settings, and the files of a node."""

import configparser
import json
from typing import Any

import pytest

from cloudinit import render
from harness import stacks
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.roles import OMERO_ROLES, Role

ZARR = {"bucket": "idr/zarr", "endpoint": "https://s3.example.org", "mount": "/uod/idr/zarr"}
PRIVATE = {**ZARR, "bucket": "submissions", "mount": "/uod/idr-new", "accessKey": "AKIA1", "secretKey": "s=3/cr~et"}
ENCRYPTED = frozenset({"s3Mounts"})


def planned(*mounts: dict[str, Any], **others: Any) -> Plan:
    values = stacks.values("ebi") | {"s3Mounts": list(mounts)} | others
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml", ENCRYPTED)), "ebi")


def files(stack_plan: Plan, role: Role) -> dict[str, dict[str, str]]:
    node = next(node for node in stack_plan.nodes if role in node.roles)
    ids = {volume.purpose: "6c7a4e6e-5a1b-4f5e-9c4e-0d7c1f1e2a3b" for volume in node.volumes}
    bundle = json.loads(render.bundle(node, stack_plan, stacks.secrets_of("ebi"), ids))
    return {entry["path"]: entry for entry in bundle["files"]}


@pytest.mark.parametrize("role", sorted(OMERO_ROLES))
def test_every_omero_node_mounts_each_bucket_at_the_same_path(role: Role) -> None:
    by_node = files(planned(ZARR, PRIVATE), role)
    units = {path.rsplit("/", 1)[-1]: entry["content"] for path, entry in by_node.items() if "/idr-s3-" in path}
    assert units.keys() == {"idr-s3-uod-idr-zarr.service", "idr-s3-uod-idr--new.service"}
    assert "store:idr/zarr /uod/idr/zarr\n" in units["idr-s3-uod-idr-zarr.service"]
    assert "--read-only" in units["idr-s3-uod-idr-zarr.service"]
    listed = by_node["/usr/local/lib/idr/s3/mounts"]["content"].splitlines()
    assert listed[1:] == [
        "idr-s3-uod-idr-zarr /uod/idr/zarr idr/zarr of https://s3.example.org",
        "idr-s3-uod-idr--new /uod/idr-new submissions of https://s3.example.org",
    ]


def test_the_secret_is_in_one_file_of_roots_and_reaches_rclone_as_it_is() -> None:
    by_node = files(planned(ZARR, PRIVATE), Role.OMERO_READWRITE)
    holders = [path for path, entry in by_node.items() if PRIVATE["secretKey"] in entry["content"]]
    assert holders == ["/etc/idr/s3/uod-idr--new.conf"]
    assert by_node[holders[0]]["mode"] == "0600"
    assert by_node[holders[0]]["owner"] == "root"
    read = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",))
    read.read_string(by_node[holders[0]]["content"])
    assert read["store"]["secret_access_key"] == PRIVATE["secretKey"]
    assert read["store"]["access_key_id"] == "AKIA1"


def test_packages_are_those_of_nodes_that_mount_buckets() -> None:
    def having(stack_plan: Plan) -> set[str]:
        return {node.name for node in stack_plan.nodes if "rclone" in node.packages}

    stack_plan = planned(ZARR)
    assert having(stack_plan) == {node.name for node in stack_plan.nodes if OMERO_ROLES.intersection(node.roles)}
    assert having(planned()) == set()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accessKey": "AKIA1"}, "accessKey and secretKey belong together"),
        ({"secretKey": "x"}, "accessKey and secretKey belong together"),
        ({"bucket": "IDR"}, "s3Mounts.0.bucket: must be a bucket"),
        ({"bucket": "idr/../other"}, "part '.' or '..'"),
        ({"endpoint": "s3.example.org"}, "s3Mounts.0.endpoint"),
        ({"endpoint": "https://s3.example.org:9000"}, "s3Mounts.0.endpoint: nodes may fetch from ports 80 and 443"),
        ({"mount": "/etc/idr"}, "s3Mounts: /etc/idr cannot be mounted over the machine's own /etc"),
        ({"mount": "/data"}, "s3Mounts: /data is mounted twice"),
        ({"cacheGib": 0}, "s3Mounts.0.cacheGib"),
        ({"mount": "/uod/a/-b"}, "mount: a part of /uod/a/-b begins with a dash"),
        ({"mount": "/uod/" + "a" * 200}, "mount: makes a longer name of a unit than 200 characters"),
        ({"secretKey": "a\nb", "accessKey": "x"}, "secretKey: holds more than letters"),
        ({"secretKey": "%(x)s", "accessKey": "x"}, "secretKey: holds more than letters"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        planned({**ZARR, **change})
    assert message in str(refused.value)


def test_a_bucket_and_a_share_cannot_have_one_path() -> None:
    share = {"source": "nfs.example.org:/idr", "mount": "/uod/idr"}
    with pytest.raises(SettingsError, match="s3Mounts: /uod/idr/zarr is inside /uod/idr, which is mounted too"):
        planned(ZARR, nfsMounts=[share])


def test_another_port_is_opened_by_a_flow() -> None:
    flow = {"from": "omero-readwrite", "to": "192.0.2.0/24", "ports": [9000], "why": "object store"}
    other = {**flow, "from": "omero-readonly"}
    assert planned({**ZARR, "endpoint": "https://192.0.2.9:9000"}, flows=[flow, other])


def test_the_secret_in_plain_text_is_refused() -> None:
    values = stacks.values("ebi") | {"s3Mounts": [ZARR, PRIVATE]}
    with pytest.raises(SettingsError) as refused:
        parse(values, Source("ebi", "Pulumi.ebi.yaml"))
    assert str(refused.value) == (
        "Pulumi.ebi.yaml: idr:s3Mounts.1.secretKey: is in plain text; "
        "keep it with: pulumi config set --secret --path 'idr:s3Mounts[1].secretKey'"
    )


def test_a_password_in_the_endpoint_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match=r"s3Mounts.0.endpoint: must be an https address") as refused:
        planned({**ZARR, "endpoint": "https://me:hunter2@s3.example.org"})
    assert "hunter2" not in str(refused.value)
