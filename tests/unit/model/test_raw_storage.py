"""Raw images by kind: the settings of `storage`, former names that lead to the same bundles, and the files of nodes."""

import json
from typing import Any

import pytest

from cloudinit import render
from harness import rendered, stacks
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, notices, parse, unset
from model.roles import OMERO_ROLES, Role

NFS = {"source": "nfs.example.org:/idr", "mount": "/uod/idr"}
ZARR = {"bucket": "idr/zarr", "endpoint": "https://s3.example.org", "mount": "/uod/zarr"}
PATH = {"kind": "path", "mount": "/srv/images"}
LINKS = {"kind": "links", "mount": "/uod/filesets", "links": {"idr0001": "/uod/idr/1", "old/idr0002": "/srv/images"}}
VOLUME = {"kind": "volume", "name": "raw", "release": "prod130", "mount": "/uod/raw", "sizeGib": 500}
RAW = {"kind": "share", "name": "raw", "mount": "/uod/manila", "sizeGib": 500}
ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SHARE = {"kind": "nfs", **NFS}
SOURCE = Source("ebi", "Pulumi.ebi.yaml", frozenset({"storage", "s3Mounts"}))


def planned(*entries: dict[str, Any], **others: Any) -> Plan:
    return plan(parse(stacks.values("ebi") | {"storage": list(entries)} | others, SOURCE), "ebi")


def bundles(stack_plan: Plan) -> dict[str, str]:
    ids = {"data": "6c7a4e6e-5a1b-4f5e-9c4e-0d7c1f1e2a3b", "db": "x", "nginxcache": "y", "raw": ID}
    return {node.name: render.bundle(node, stack_plan, stacks.secrets_of("ebi"), ids) for node in stack_plan.nodes}


def files(stack_plan: Plan, role: Role) -> dict[str, str]:
    node = next(node for node in stack_plan.nodes if role in node.roles)
    return rendered.files(node, stack_plan, stacks.secrets_of("ebi"))


def test_former_names_are_read_as_entries_of_their_kind() -> None:
    former = planned(nfsMounts=[NFS], s3Mounts=[ZARR])
    now = planned(SHARE, {"kind": "s3", **ZARR})
    assert bundles(former) == bundles(now)
    assert former.releases[0].rules == now.releases[0].rules


def test_former_names_are_named_with_what_to_write_instead() -> None:
    assert notices(planned(SHARE).settings, "file") == []
    lines = notices(planned(nfsMounts=[NFS, {**NFS, "mount": "/b"}], s3Mounts=[ZARR]).settings, "file")
    assert lines[0].startswith("file: idr:nfsMounts is read for one version more: write its entries below idr:storage")
    assert "`kind: nfs`" in lines[0]
    assert "`kind: s3`" in lines[1]
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ([SHARE, {**SHARE, "mount": "/b", "source": "192.0.2.7:/b"}], "storage.0.source"),
        (
            [{**SHARE, "source": "192.0.2.7:/b", "options": "nfsvers=3,nolock,mountport=9,mounthost=b"}],
            "storage.0.source",
        ),
        ([{**SHARE, "source": "192.0.2.7:/b"}], None),
        ([], None),
    ],
)
def test_an_up_needs_to_know_where_a_server_is_that_has_a_name(entries: list[Any], named: str | None) -> None:
    lines = [line for line in unset(planned(*entries).settings, "file") if "storageNetwork" in line]
    wanted = f"file: idr:storageNetwork: is not set yet; without it {named} would open NFS to anywhere: set it, or name"
    assert [line.startswith(wanted) for line in lines] == ([True] if named else [])
    within = planned(*entries, storageNetwork={"name": "storage", "cidr": "192.0.2.0/24"})
    assert "storageNetwork" not in within.settings.missing()


def test_a_share_that_is_open_to_anywhere_is_named() -> None:
    (line,) = notices(planned(RAW).settings, "file")
    assert line.startswith(
        "file: idr:storageNetwork: is not set, so OMERO nodes may reach NFS anywhere, for the share 'raw'"
    )
    assert not notices(planned(RAW, storageNetwork={"name": "storage", "cidr": "192.0.2.0/24"}).settings, "file")


@pytest.mark.parametrize("role", sorted(OMERO_ROLES))
def test_every_omero_node_has_the_links_and_asks_for_the_folders(role: Role) -> None:
    by_path = files(planned(SHARE, PATH, LINKS), role)
    assert by_path["/usr/local/lib/idr/local-storage/links"].splitlines()[1:] == [
        "/uod/filesets/idr0001 /uod/idr/1",
        "/uod/filesets/old/idr0002 /srv/images",
    ]
    assert by_path["/usr/local/lib/idr/local-storage/folders"].splitlines()[1:] == ["/srv/images"]
    target = by_path["/etc/systemd/system/idr-local-storage.target"].splitlines()
    assert {"RequiresMountsFor=/srv/images", "Before=omero-server.service"} <= set(target)


def test_links_and_folders_come_before_omero_and_to_its_nodes_alone() -> None:
    for name, text in bundles(planned(SHARE, PATH, LINKS)).items():
        roles = json.loads(text)["roles"]
        if "omero-server" in roles:
            assert roles.index("local-storage") < roles.index("omero-server")
        else:
            assert "local-storage" not in roles, name


def test_who_needs_neither_has_no_role_for_them() -> None:
    assert all("local-storage" not in json.loads(text)["roles"] for text in bundles(planned(SHARE)).values())


def test_an_import_takes_images_of_every_kind() -> None:
    stack_plan = planned(SHARE, {"kind": "s3", **ZARR}, PATH, LINKS)
    about = json.loads(files(stack_plan, Role.OMERO_READWRITE)["/etc/idr/import.json"])
    # Only a mount can be required to be one.
    assert about["mounts"] == ["/uod/idr", "/uod/zarr"]
    assert about["folders"] == ["/srv/images", "/uod/filesets"]


@pytest.mark.parametrize(
    "location",
    [
        "10.254.0.3:/shares/share-3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "10.0.0.1:/volumes/_nogroup/3f2504e0-4f89-41d3-9a0c-0305e82c3301/6c7a4e6e-5a1b-4f5e-9c4e-0d7c1f1e2a3b",
        "manila.example.org:/share_3f2504e0_4f89_41d3_9a0c_0305e82c3301",
    ],
)
def test_export_locations_of_manila_are_servers_of_nfs(location: str) -> None:
    stack_plan = planned({**SHARE, "source": location})
    mounts = files(stack_plan, Role.OMERO_READONLY)["/usr/local/lib/idr/nfs/mounts"]
    assert f"{location} /uod/idr ro" in mounts.splitlines()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([NFS], "idr:storage.0: needs 'kind'"),
        ([{**NFS, "kind": "smb"}], "idr:storage.0: 'kind' must be one of 'nfs', 's3'"),
        (["/uod"], "idr:storage.0: must be a mapping of keys to values"),
        ([{**SHARE, "bucket": "x"}], "idr:storage.0.bucket: is not a setting"),
        ([{**SHARE, "options": "rw,hard"}], "idr:storage.0: options: hard would hang OMERO"),
        ([{"kind": "s3", **ZARR, "endpoint": "https://a.example.org:9"}], "storage.0.endpoint: nodes may fetch"),
        ([SHARE, {**PATH, "mount": "x"}], "idr:storage.1.mount: must be an absolute path"),
        ([SHARE, SHARE], "storage: /uod/idr is mounted twice"),
        ([SHARE, {**LINKS, "mount": "/uod/idr/f"}], "storage: /uod/idr/f is inside /uod/idr, which is mounted too"),
        ([SHARE, {**LINKS, "mount": "/etc/x", "links": {"a": "/uod/idr"}}], "over the machine's own /etc"),
        ([{**VOLUME, "release": "prod131"}], "storage.0.release: 'prod131' is not one of the releases: prod130"),
        ([{**VOLUME, "name": "data"}], "storage.0.name: 'data' is a volume of the node's own already"),
        ([RAW, {**RAW, "mount": "/uod/b"}], "storage: two shares are named 'raw'"),
        ([RAW, {**RAW, "name": "b"}], "storage: /uod/manila is mounted twice"),
        ([{**RAW, "options": "rw"}], "idr:storage.0.options: is not a setting"),
        ([{**RAW, "sizeGib": 0}], "idr:storage.0.sizeGib"),
        ([VOLUME, {**VOLUME, "mount": "/uod/b"}], "storage: two volumes are named 'raw'"),
        ([VOLUME, {**VOLUME, "name": "b"}], "storage: /uod/raw is mounted twice"),
        ([{**VOLUME, "existing": ID}, {**VOLUME, "existing": ID, "name": "b", "mount": "/b"}], f"{ID} is named twice"),
        ([{**VOLUME, "existing": ID, "type": "ssd"}], "storage.0: an existing volume is used as it is"),
        ([{**VOLUME, "sizeGib": 0}], "storage.0.sizeGib: must be at least 1"),
        ([{**VOLUME, "name": "a-b"}], "storage.0.name: must be lower-case letters and digits"),
        ([LINKS, PATH], "storage.0.links.idr0001: /uod/idr/1 is below no other entry's mount"),
        ([SHARE, {**LINKS, "links": {}}], "idr:storage.1.links: must have at least one entry"),
        ([SHARE, {**LINKS, "links": {"../a": "/uod/idr"}}], "must be a path below `mount`"),
        ([SHARE, {**LINKS, "links": {"a": "/uod/idr/../.."}}], "must be a path without"),
        ([SHARE, {**LINKS, "links": {"a/b": "/uod/idr", "a": "/uod/idr"}}], "'a/b' would be inside the link 'a'"),
    ],
)
def test_what_cannot_work_is_refused(entries: list[Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        planned(*entries)
    assert message in str(refused.value)


def test_a_share_under_a_former_name_and_an_entry_cannot_have_one_path() -> None:
    with pytest.raises(SettingsError, match="/uod/idr is mounted twice"):
        planned(SHARE, nfsMounts=[NFS])


def test_the_secret_of_a_bucket_in_plain_text_is_refused() -> None:
    bucket = {"kind": "s3", **ZARR, "accessKey": "A", "secretKey": "hunter2"}
    with pytest.raises(SettingsError) as refused:
        parse(stacks.values("ebi") | {"storage": [bucket]}, Source("ebi", "Pulumi.ebi.yaml"))
    assert "pulumi config set --secret --path 'idr:storage[0].secretKey'" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_node_that_writes_has_the_volume_and_shares_it_with_the_others() -> None:
    stack_plan = planned(VOLUME)
    having = [(node, volume) for node in stack_plan.nodes for volume in node.volumes if volume.purpose == "raw"]
    assert [(node.name, volume.name, volume.size_gib) for node, volume in having] == [
        ("prod130-omeroreadwrite", "prod130-omeroreadwrite-raw", 500)
    ]
    (node, volume) = having[0]
    assert volume.is_new
    bundle_files = json.loads(render.bundle(node, stack_plan, stacks.secrets_of("ebi"), {"data": "x", "raw": ID}))[
        "files"
    ]
    texts = {entry["path"]: entry["content"] for entry in bundle_files}
    assert f"{ID} /uod/raw 500 new" in texts["/etc/idr/volumes"]
    assert "/uod/raw" in texts["/usr/local/lib/idr/local-storage/mounts"].splitlines()
    shared = [line for line in texts["/etc/exports.d/idr.exports"].splitlines() if line.startswith("/uod/raw ")]
    others = [node.address for node in stack_plan.nodes if Role.OMERO_READONLY in node.roles]
    options = f"ro,sync,no_subtree_check,root_squash,mp=/,fsid={ID}"
    assert shared == [f"/uod/raw {address}({options})" for address in others]
    for reader in (node for node in stack_plan.nodes if Role.OMERO_READONLY in node.roles):
        mounts = rendered.files(reader, stack_plan, stacks.secrets_of("ebi"))["/usr/local/lib/idr/nfs/mounts"]
        assert f"{node.address}:/uod/raw /uod/raw ro,vers=4.2" in mounts.splitlines()


def test_an_import_takes_images_of_a_volume() -> None:
    about = json.loads(files(planned(VOLUME), Role.OMERO_READWRITE)["/etc/idr/import.json"])
    assert about["mounts"] == ["/uod/raw"]


def test_each_release_has_its_own_volume_at_the_same_path() -> None:
    releases = stacks.values("ebi")["releases"]
    both = releases | {"prod131": {**releases["prod130"], "cidr": "192.168.131.0/24"}}
    stack_plan = planned(VOLUME, {**VOLUME, "release": "prod131", "existing": ID}, releases=both)
    existing = {
        volume.name: volume.existing for node in stack_plan.nodes for volume in node.volumes if volume.purpose == "raw"
    }
    assert {name: str(one) for name, one in existing.items()} == {
        "prod130-omeroreadwrite-raw": "None",
        "prod131-omeroreadwrite-raw": ID,
    }
    links = {**LINKS, "links": {"a": "/uod/raw"}}
    with pytest.raises(SettingsError, match=r"storage\.1\.links\.a: /uod/raw is below no other entry's mount"):
        planned(VOLUME, links, releases=both)
