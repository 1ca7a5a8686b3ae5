"""Uploads on running machines: a node with the role joins a service; a submitter's data pass through the proxy."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import replaced
from model.firewall import UPLOAD_PORT
from model.overrides import merge

pytestmark = [pytest.mark.cloud, pytest.mark.needs("sftp")]

NODE, NAME = "demo1-upload", "idr0150-smith"
SENT = {"plate/a.tif": b"a" * 100_000, "plate/well/b.tif": b"b" * 50_000}
ADDED = {"roles": ["upload"], "flavor": "local.small", "volumes": {"upload": {"sizeGib": 2}}}


@pytest.fixture(scope="module")
def added(second: Tenant) -> Service:
    """Return the service after the update that adds the node."""
    wanted = merge({"releases": second.settings("releases")}, {"releases": {"demo1": {"nodes": {"upload": ADDED}}}})
    second.configure(idr_releases=wanted["releases"])
    assert not replaced(second.apply())
    return second.service()


def put(added: Service, folder: Path, password: str) -> "subprocess.CompletedProcess[str]":
    """Upload a submitter's data to the public address."""
    for path, content in SENT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    asked = folder / "askpass"
    asked.write_text('#!/bin/sh\necho "$PASSWORD"\n')
    asked.chmod(0o755)
    alone = ["BatchMode=no", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "PubkeyAuthentication=no"]
    options = [word for option in (*alone, "NumberOfPasswordPrompts=1") for word in ("-o", option)]
    return subprocess.run(
        ["sftp", *options, "-F", "none", "-P", str(UPLOAD_PORT), "-b", "-", f"upload-{NAME}@{added.address('omero')}"],
        input="put -r plate\n",
        env={**os.environ, "SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD": password},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_submission_comes_through_the_proxy_and_is_handed_over(added: Service, tmp_path: Path) -> None:
    output = added.on(NODE, f"sudo idr-upload open {NAME} --gib 1")
    password = next(line for line in output.splitlines() if line.startswith("password: ")).removeprefix("password: ")
    done = put(added, tmp_path, password)
    assert done.returncode == 0, done.stderr
    added.on(NODE, f"sudo idr-upload hand-over {NAME}")
    received = "/srv/upload/received"
    added.on(NODE, f"sudo sh -c 'cd {received}/{NAME} && sha256sum --check --quiet ../{NAME}.sha256'")
    files = added.on(NODE, f"sudo sh -c 'cd {received}/{NAME} && find . -type f | sort'").split()
    assert files == [f"./{path}" for path in sorted(SENT)]
    assert put(added, tmp_path, password).returncode == 255


def test_the_machine_is_as_every_other(added: Service) -> None:
    assert added.on(NODE, "systemctl --failed --no-legend") == ""
    units = "idr-upload.service idr-upload-quota.service"
    assert added.on(NODE, f"systemd-analyze verify --man=no {units} 2>&1") == ""
    assert added.on(NODE, "sudo visudo -c -q -f /etc/sudoers.d/idr-upload") == ""
    assert added.on(NODE, "sudo /usr/local/sbin/idr-apply --status")


def test_a_killed_server_comes_back_by_itself(added: Service) -> None:
    added.on(NODE, "sudo kill -KILL $(systemctl show --value -p MainPID idr-upload)")
    added.on(NODE, "for i in {1..30}; do sudo /usr/local/lib/idr/upload/health && exit 0; sleep 1; done; exit 1")


def test_a_replaced_server_has_the_submissions(added: Service, second: Tenant) -> None:
    added.on(NODE, f"sudo idr-upload open {NAME}-2 --gib 1")
    wanted = merge({"releases": second.settings("releases")}, {"releases": {"demo1": {"rebuild": {"upload": 1}}}})
    second.configure(idr_releases=wanted["releases"])
    assert any(NODE in step for step in replaced(second.apply()))
    assert f"{NAME}-2" in second.service().on(NODE, "sudo idr-upload list; id upload-idr0150-smith-2")
