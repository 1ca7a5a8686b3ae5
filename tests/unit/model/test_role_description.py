"""Reading role.yaml: each mistake gives a line that names the file and the field."""

from pathlib import Path

import pytest

from model.role_description import RoleError, read_all

NODE = "node: {firstHost: 20, lastHost: 29, perRelease: any, memoryShare: 1, tier: store"
WRONG = {
    "a field that is none": ("unit: [nginx]", "unit: is not a setting; did you mean 'units'?"),
    "no mapping": ("- nginx", "must be a mapping of keys to values"),
    "no YAML": (
        "units: [nginx",
        "line 2: expected ',' or ']', but got '<stream end>' (while parsing a flow sequence, begun in line 1)",
    ),
    "a field twice": ("units: [nginx]\nunits: []", "line 2: the key 'units' is in line 1 already"),
    "a package that apt reads as an option": (
        "packages: [-o]",
        "packages.0: must be a package of the distribution; {java} in it is the version of Java that the node's system "
        "has (given: '-o')",
    ),
    "a package twice": ("packages: [nginx, nginx]", "packages: entries 0 and 1 are the same"),
    "a unit with a blank": (
        "units: [nginx ssh]",
        "units.0: must be a unit of systemd, or a pattern of units (given: 'nginx ssh')",
    ),
    "no time to become healthy": ("healthSeconds: 0", "healthSeconds: must be at least 1 (given: 0)"),
    "a time that is text": ("healthSeconds: '60'", "healthSeconds: must be a whole number (given: '60')"),
    "no share of memory": (NODE.replace("memoryShare: 1, ", "") + "}", "node.memoryShare: is required"),
    "a tier that is none": (
        NODE.replace("store", "cellar") + "}",
        "node.tier: must be one of 'entrance', 'service', 'store' (given: 'cellar')",
    ),
    "an address of Neutron's": (NODE.replace("29", "200") + "}", "node.lastHost: must be at most 199 (given: 200)"),
    "a block that ends before it begins": (NODE.replace("29", "19") + "}", "node: lastHost 19 is before firstHost 20"),
    "a volume without a path": (
        NODE + ", volume: {name: db, mount: db, required: true, ansibleVariable: db_dev}}",
        "node.volume.mount: must be an absolute path (given: 'db')",
    ),
    "a distribution that is none": (
        NODE + ", applies: {other: [redis]}}",
        "node.applies.other: must be one of 'official', 'demo' (given: 'other')",
    ),
    "a role that is none": (
        NODE + ", applies: {demo: [cache, redis]}}",
        "node.applies.demo: 'cache' is no folder with a role.yaml",
    ),
    "an address of another role": (
        NODE.replace("29", "30") + "}",
        "node.firstHost: 20 to 30 overlaps the addresses of database",
    ),
    "the order of another role": (
        NODE + ", interruption: {order: 2, what: pages fail, replacementSeconds: 9}}",
        "node.interruption.order: 2 is that of database",
    ),
}
DATABASE = """\
node:
  {firstHost: 30, lastHost: 30, perRelease: any, memoryShare: 1, tier: store,
   interruption: {order: 2, what: all fails, replacementSeconds: 80}}
"""


def roles(folder: Path, **texts: str) -> Path:
    for role, text in texts.items():
        file = folder / "cloudinit" / role / "role.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    return folder / "cloudinit"


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description_is_refused_with_file_and_field(case: str, tmp_path: Path) -> None:
    text, message = WRONG[case]
    with pytest.raises(RoleError) as caught:
        read_all(roles(tmp_path, database=DATABASE, redis=text))
    assert str(caught.value) == f"cloudinit/redis/role.yaml: {message}"


def test_all_mistakes_of_all_descriptions_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(RoleError) as caught:
        read_all(roles(tmp_path, proxy="units: 1\nhealthSeconds: 0", redis="unit: []"))
    files = [line.split(": ")[:2] for line in str(caught.value).splitlines()]
    assert files == [
        ["cloudinit/proxy/role.yaml", "units"],
        ["cloudinit/proxy/role.yaml", "healthSeconds"],
        ["cloudinit/redis/role.yaml", "unit"],
    ]


def test_a_description_may_say_nothing(tmp_path: Path) -> None:
    description = read_all(roles(tmp_path, redis="# A folder of files."))["redis"]
    assert (description.packages, description.units, description.node, description.health_seconds) == (
        (),
        (),
        None,
        180,
    )
