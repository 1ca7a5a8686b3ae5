"""Root in the folders of service accounts: it neither trusts nor follows what these accounts can write."""

import getpass
import grp
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from cloudinit import render
from harness import stacks
from harness.stacks import ROOT

SCRIPTS = sorted((ROOT / "cloudinit").glob("*/scripts/*"))
FOLDERS = ROOT / "cloudinit" / "common" / "scripts" / "folders"
# Only users who import read these files; services read all others.
HOME = "/var/lib/omero-import/"


def folder(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Call `folder` of cloudinit/common/scripts/folders."""
    command = ["bash", "-ec", f'. {FOLDERS}; folder "$@"', "bash", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


OWNER = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name


def test_a_folder_is_created_with_its_mode_also_where_it_is_already(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir(mode=0o777)
    assert folder(*OWNER, "750", tmp_path / "one", tmp_path / "two").returncode == 0
    assert [(tmp_path / name).stat().st_mode & 0o7777 for name in ("one", "two")] == [0o750, 0o750]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_instead_of_a_folder_is_refused(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if there:
        target.mkdir(mode=0o711)
    link.symlink_to(target)
    done = folder(*OWNER, "750", link)
    assert (done.returncode, done.stderr) == (1, f"{link} is a link, and a folder must be there: look who made it\n")
    assert target.exists() == there
    if there:
        assert target.stat().st_mode & 0o777 == 0o711


def test_steps_give_folders_away_by_the_function_that_refuses_links() -> None:
    """Other folders are at the top of a volume or in a folder of root: nobody else can put a link there."""
    give = re.compile(r"^(?!.*runuser).*\binstall -d .*-o (?!root)\S+ .* (\S+)$", re.MULTILINE)
    folders = {folder for script in SCRIPTS if script != FOLDERS for folder in give.findall(script.read_text())}
    assert folders == {"/data/OMERO", "/data/BioFormatsCache"}


@pytest.mark.parametrize("stack", ["local", "ebi", "uod"])
def test_a_service_can_read_its_configuration_and_not_change_it(stack: str) -> None:
    plan, secrets = stacks.plan_of(stack), stacks.secrets_of(stack)
    for node in plan.nodes:
        ids = {volume.purpose: "0" * 36 for volume in node.volumes}
        for entry in json.loads(render.bundle(node, plan, secrets, ids))["files"]:
            if not entry["path"].startswith(HOME):
                assert entry["owner"] == "root", entry["path"]
                assert not int(entry["mode"], 8) & 0o022, entry["path"]


def test_the_packages_folders_of_configuration_become_roots() -> None:
    """Debian gives them to postgres and redis; `idr-apply` refuses to write root's files there before."""
    database = (ROOT / "cloudinit/database/scripts/prepare").read_text()
    assert 'folder root root 755 /etc/postgresql "/etc/postgresql/$POSTGRESQL" "$config"' in database
    assert "folder root redis 750 /etc/redis" in (ROOT / "cloudinit/redis/scripts/prepare").read_text()
