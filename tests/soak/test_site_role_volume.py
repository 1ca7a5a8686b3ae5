"""The role `status` of docs/site-roles.md on a running machine: its account, volume and password, and a restart."""

import re
from pathlib import Path

import pytest

from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.stacks import ROOT
from harness.steps import replaced
from tests import site_roles

pytestmark = pytest.mark.cloud

PAGE = (ROOT / "docs" / "site-roles.md").read_text()
NODE = "demo1-status"
# The document describes these files in words. Python serves the folder that it writes before its start.
FILES = {
    "files/etc/status/settings.j2": 'ADMIN={{ passwords["status/admin"] }}\n',
    "files/etc/systemd/system/status-page.service.j2": """[Unit]
Description=Whether the site answers

[Service]
User=status
ExecStartPre=/usr/bin/mkdir -p /srv/status/data/status
ExecStartPre=/usr/bin/curl -sS --fail --cacert /etc/idr/ca.crt --output /srv/status/data/status/api \\
  --resolve {{ plan.host_name }}:443:{{ release.with_role("proxy")[0].address }} https://{{ plan.host_name }}/api/
ExecStart=/usr/bin/python3 -m http.server 8100 --bind {{ node.address }} --directory /srv/status/data

[Install]
WantedBy=multi-user.target
""",
    "scripts/health": """#!/bin/bash
set -euo pipefail
. /etc/idr/node.env
curl -sS --fail --max-time 10 --retry 5 --retry-connrefused -o /dev/null "http://$NODE_ADDRESS:8100/status/api"
""",
}


def written(folder: Path) -> None:
    """Write the role: the descriptions and the commands of `prepare` as the document has them."""
    described = site_roles.status_descriptions()
    commands = re.findall(r"`((?:id -u status|folder status) [^`]+)`", PAGE)
    assert (sorted(described), len(commands)) == (["files.yaml", "role.yaml"], 2)
    prepare = ["#!/bin/bash", "set -euo pipefail", ". /usr/local/lib/idr/common/folders", *commands]
    for name, text in {**described, **FILES, "scripts/prepare": "\n".join(prepare) + "\n"}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for script in (folder / "scripts").iterdir():
        script.chmod(0o755)


@pytest.fixture(scope="module")
def added(second: Tenant) -> Service:
    """Return the service after the update that adds the role."""
    written(second.folder / "site" / "status")
    releases = second.settings("releases")
    releases["demo1"]["nodes"]["status"] = {
        "roles": ["status"],
        "flavor": "local.small",
        "volumes": {"history": {"sizeGib": 1}},
    }
    second.configure(idr_siteRoles="site/", idr_releases=releases)
    assert not replaced(second.apply())
    return second.service()


def test_visitors_get_what_it_asked_the_site(added: Service) -> None:
    with added.browser() as visitor:
        (shown,), (version,) = (visitor.get(path).json()["data"] for path in ("status/api", "api/"))
        assert shown["version"] == version["version"]


def test_its_account_owns_a_folder_of_its_volume(added: Service) -> None:
    assert added.on(NODE, "findmnt --noheadings --output TARGET /srv/status") == "/srv/status"
    assert added.on(NODE, "sudo stat --format '%U %G %a' /srv/status /srv/status/data").splitlines() == [
        "root root 755",
        "status status 750",
    ]


def test_its_account_alone_reads_its_password(added: Service) -> None:
    read = "cat /etc/status/settings"
    assert re.fullmatch(r"ADMIN=\S{20,}", added.on(NODE, f"sudo -u status {read}"))
    assert added.try_on(NODE, f"sudo -u nobody {read}").returncode != 0


def test_systemd_starts_it_again(added: Service) -> None:
    pid = "systemctl show --value --property MainPID status-page"
    before = added.on(NODE, pid)
    added.on(NODE, f"sudo kill -KILL {before}")
    added.on(NODE, "for i in {1..60}; do sudo /usr/local/lib/idr/status/health && exit 0; sleep 1; done; exit 1")
    assert added.on(NODE, pid) not in ("0", before)
