"""Programs log in through the public address as users do, with the IDR's own client and the OMERO command line.

They verify the service by its name and authority, and they read what the demo image server draws.
"""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from demo_image_server import drawing

from harness.clients import read_image
from harness.clients.environment import HERE, Client
from harness.cloud.service import NAME, Service

pytestmark = pytest.mark.cloud

PLANES = [hashlib.sha256(plane.astype(np.uint8).tobytes()).hexdigest() for plane in drawing.planes(read_image.IMAGE)]
WAYS = {"websocket": f"wss://{NAME}/omero-ws", "websocket of one server": f"wss://{NAME}/omero-ws/1", "4064": NAME}


@pytest.fixture
def client(service: Service, tmp_path: Path) -> Client:
    """Prepare a user's machine."""
    return service.client(tmp_path)


def read(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """Return the output of a script, which must succeed."""
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_idrs_own_client_needs_nothing_but_the_name(client: Client) -> None:
    answer = read(client.run("python", HERE / "read_image.py", "idr-py", NAME))
    assert answer["router"] == f"OMERO.Glacier2/router:wss -p 443 -h {NAME} -r /omero-ws/1"
    assert (answer["user"], answer["name"]) == ("public", "Demo image A05")
    assert answer["planes"] == PLANES


@pytest.mark.parametrize("way", WAYS)
def test_the_command_line_logs_in_and_its_session_reads_pixels(client: Client, way: str) -> None:
    login = client.omero("login", "-s", WAYS[way], "-u", "public", "-w", "public")
    assert login.returncode == 0, login.stderr
    counted = client.omero("hql", "-q", "--style", "plain", "select count(i.id) from Image i")
    assert counted.stdout.split(",")[-1].strip() == "384", counted.stdout + counted.stderr
    key = client.omero("sessions", "key").stdout.strip()
    assert read(client.run("python", HERE / "read_image.py", "join", WAYS[way], key))["planes"] == PLANES
    assert client.omero("logout").returncode == 0
    assert client.run("python", HERE / "read_image.py", "join", WAYS[way], key).returncode != 0


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_refused(client: Client, way: str) -> None:
    refused = client.omero("login", "-s", WAYS[way], "-u", "public", "-w", "wrong")
    assert refused.returncode != 0
    assert "Created session" not in refused.stdout + refused.stderr


@pytest.mark.parametrize("way", WAYS)
def test_by_another_name_it_is_not_the_service(service: Service, tmp_path: Path, way: str) -> None:
    other = "other.example.org"
    server = WAYS[way].replace(NAME, other)
    refused = service.client(tmp_path, other).omero("login", "-s", server, "-u", "public", "-w", "public")
    assert refused.returncode != 0
    assert other in refused.stderr


def test_the_public_user_can_change_nothing(client: Client) -> None:
    outcomes = read(client.run("python", HERE / "write.py", NAME))
    assert outcomes.pop("delete by a command") == "CmdError"
    assert set(outcomes.values()) == {"SecurityViolation"}, outcomes
