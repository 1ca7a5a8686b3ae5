"""Programs log in with another password of the public user after an update in place."""

from pathlib import Path

import pytest

from harness.clients.environment import HERE
from harness.cloud.service import NAME
from harness.cloud.tenant import Tenant
from tests.cloud.test_clients import PLANES, WAYS, read

pytestmark = pytest.mark.cloud


def test_another_password_is_what_programs_get_after_an_update_in_place(second: Tenant, tmp_path: Path) -> None:
    second.configure(idr_publicPassword="told")
    second.apply()
    client = second.service().client(tmp_path)
    assert read(client.run("python", HERE / "read_image.py", "idr-py", NAME))["planes"] == PLANES
    assert client.omero("login", "-s", WAYS["4064"], "-u", "public", "-w", "public").returncode != 0
