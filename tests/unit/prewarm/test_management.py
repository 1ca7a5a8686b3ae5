"""What the management node gets of the pre-warm."""

import json
from pathlib import PurePosixPath

from cloudinit import render
from harness import stacks
from harness.stacks import ROOT
from model.roles import Role

LIBRARY = "/usr/local/lib/idr-prewarm/prewarm"


PLAN = stacks.plan_of("ebi")
RELEASE = PLAN.release(PLAN.live)


def bundle() -> dict[str, str]:
    node = RELEASE.with_role(Role.MANAGEMENT)[0]
    text = render.bundle(node, PLAN, stacks.secrets_of("ebi"), {volume.purpose: "0" * 20 for volume in node.volumes})
    return {entry["path"]: entry["content"] for entry in json.loads(text)["files"]}


def test_every_module_of_the_prewarm_is_there() -> None:
    sources = {file.name: file.read_text() for file in (ROOT / "idr" / "prewarm").glob("*.py")}
    there = {PurePosixPath(path).name: text for path, text in bundle().items() if path.startswith(LIBRARY)}
    assert there == sources


def test_it_asks_the_proxy_of_its_own_release_by_the_public_name() -> None:
    settings = dict(line.split("=", 1) for line in bundle()["/etc/idr/prewarm.env"].splitlines() if "=" in line)
    assert settings == {
        "IDR_PREWARM_URL": f"https://{RELEASE.with_role(Role.PROXY)[0].address}",
        "IDR_PREWARM_HOST": PLAN.host_name,
        "IDR_PREWARM_CA_FILE": "/etc/idr/ca.crt",
    }
