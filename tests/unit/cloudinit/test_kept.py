"""The proxy removes answers that it cached for another kind of visitors."""

import subprocess
from pathlib import Path

import pytest

from harness import proxy, stacks
from model.caching import KINDS
from model.role_description import FOLDER
from model.visitors import Visitors

SCRIPT = FOLDER / "proxy" / "scripts" / "activate"
ZONES = {kind.name for kind in KINDS}


@pytest.mark.parametrize(("visitors", "stays"), [(Visitors.PUBLIC, ZONES), (Visitors.LOGIN, {"static"})])
def test_what_no_zone_keeps_any_more_is_removed(tmp_path: Path, visitors: Visitors, stays: set[str]) -> None:
    rendered = proxy.rendered(stacks.with_settings(stacks.plan_of("local"), visitors=visitors))
    (tmp_path / "cache.conf").write_text(rendered["/etc/nginx/conf.d/cache.conf"].replace("/var/", f"{tmp_path}/"))
    folder = tmp_path / "cache" / "nginx"
    for name in (*ZONES, "lost+found"):
        (folder / name / "a").mkdir(parents=True)
        (folder / name / "a" / "answer").touch()
    text = SCRIPT.read_text().replace("/var/", f"{tmp_path}/").replace("/etc/nginx/conf.d", str(tmp_path))
    text = text.replace("/usr/local/lib/idr/proxy/certificate", "true")
    subprocess.run(["bash", "-c", text], check=True)
    assert {zone.name for zone in folder.iterdir()} == stays | {"lost+found"}
    assert all((zone / "a" / "answer").is_file() for zone in folder.iterdir())
