"""Run the provider and `idr` with the same settings, variables and files, and record what each did."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from idr.cloud import CloudError, asking, connect
from tests.engine import plugin
from tests.engine.ways import AUTH, ROOT, Way
from tests.fake_cloud.cloud import FakeCloud


@dataclass
class Reached:
    """What a client did: its logins, its later requests, and the id of the network; or that it refused."""

    logins: list[dict[str, Any]]
    asked: set[str]
    network: str | None
    message: str = ""


def put_in(fake: FakeCloud, value: Any) -> Any:
    """Return the value with the addresses of this cloud."""
    text = json.dumps(value).replace(AUTH, fake.auth_url).replace(ROOT, fake.root)
    return json.loads(text)


def write(way: Way, fake: FakeCloud, folder: Path) -> None:
    files = dict(way.files)
    if way.entry is not None:
        files["clouds.yaml"] = {"clouds": {"here": way.entry}}
    for name, content in files.items():
        filled = put_in(fake, content)
        text = filled if isinstance(filled, str) else yaml.safe_dump(filled)
        (folder / name).write_text(text)


def taken(fake: FakeCloud, network: str | None, message: str = "") -> Reached:
    # Only one client asks for the version document.
    calls = {"/".join(call.split()[1].split("/")[:3]) for call in fake.calls if call.endswith("/networks")}
    reached = Reached(list(fake.identity.logins), calls, network, message)
    fake.identity.logins.clear()
    fake.calls.clear()
    return reached


def by_provider(way: Way, fake: FakeCloud, folder: Path, environment: dict[str, str]) -> Reached:
    try:
        return taken(fake, plugin.network_id("public", put_in(fake, way.settings), environment, folder))
    except plugin.RefusedError as error:
        return taken(fake, None, str(error))


def by_idr(way: Way, fake: FakeCloud, folder: Path) -> Reached:
    settings = put_in(fake, way.settings)
    try:
        network = asking(lambda: next(connect(settings.get, folder).network.networks(name="public")))
    except CloudError as error:
        return taken(fake, None, str(error))
    return taken(fake, network.id)


def both(way: Way, fake: FakeCloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Reached, Reached]:
    """Run the provider and `idr`, and return what each did."""
    for name in list(os.environ):
        if name.startswith("OS_"):
            monkeypatch.delenv(name)
    for name, value in put_in(fake, way.variables).items():
        monkeypatch.setenv(name, value)
    write(way, fake, folder)
    return by_provider(way, fake, folder, dict(os.environ)), by_idr(way, fake, folder)
