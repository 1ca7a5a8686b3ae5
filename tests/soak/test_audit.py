"""The public ports, as auditors of TLS and ssh rate them."""

import json
import subprocess
from pathlib import Path

import pytest

from dev import debian
from harness.cloud.service import NAME, Service

pytestmark = pytest.mark.cloud

PACKAGES = Path(__file__).with_name("audit-packages.txt")
# BREACH is accepted: the first page is for one visitor, and is not compressed (ADR 53).
TOLERATED = {
    "engine_problem": "says what this machine's openssl cannot test",
    "cipher_order": "every cipher that is offered is a good one, so clients choose the one that is quickest for them",
    "cert_revocation": "the stack's own authority has no list; a public certificate has its authority's",
    "service": "port 4064 speaks Ice, not HTTP",
    "DNS_CAArecord": "the demo's name is in no DNS",
}


@pytest.fixture(scope="module", autouse=True)
def _auditors() -> None:
    debian.ensure(debian.read_list(PACKAGES), print)


@pytest.mark.parametrize("port", [443, 4064])
def test_tls_has_no_weakness(service: Service, tmp_path: Path, port: int) -> None:
    authority, report = tmp_path / "ca.crt", tmp_path / "found.json"
    authority.write_text(service.outputs["certificateAuthority"])
    command = ["testssl", "--ip", service.address("omero"), "--add-ca", str(authority), "--quiet", "--color", "0"]
    command += ["--warnings", "off", "--severity", "LOW", "--jsonfile", str(report), f"{NAME}:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "TLS 1.3    offered (OK)" in done.stdout, done.stdout + done.stderr
    weak = {one["id"]: one["finding"] for one in json.loads(report.read_text()) if one["id"] not in TOLERATED}
    assert weak == {}


def test_the_bastions_ssh_offers_nothing_weak(service: Service) -> None:
    command = ["ssh-audit", "--json", service.address("bastion")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    offered = json.loads(done.stdout)
    assert [one["algorithm"] for one in offered["kex"] if "nistp" in one["algorithm"]] == []
    # Computed over the encrypted text (etm).
    assert [name for name in offered["mac"] if "etm" not in name or "sha1" in name or "umac-64" in name] == []
