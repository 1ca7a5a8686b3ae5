"""A stack on a fake cloud. Tests change its state or the cloud, and restore both."""

import copy
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.project import STACK, CloudProject

VOLUME = "idr-local-demo1-database-db"
REDIS = "idr-local-demo1-redis"
Entry = dict[str, Any]


@dataclass
class Deployment:
    """A stack on a fake cloud, and the cloud's objects after the stack was created."""

    cloud: FakeCloud
    project: CloudProject
    created: dict[str, Any]

    def create(self) -> None:
        """Create the stack; keep cloud and state for `put_back`."""
        done = self.up()
        assert done.returncode == 0, done.stdout + done.stderr
        self.created = copy.deepcopy(self.cloud.store._kinds)
        shutil.copytree(self.project.folder / "state", self.project.folder / "state.created")

    def put_back(self) -> None:
        """Restore cloud and state as `create` kept them."""
        self.cloud.store.replace(copy.deepcopy(self.created))
        state = self.project.folder / "state"
        shutil.rmtree(state)
        shutil.copytree(self.project.folder / "state.created", state)

    def up(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.project.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--stack", STACK, *options)

    def idr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.project.run(sys.executable, "-m", "idr", *arguments, "--stack", STACK)

    def known(self) -> set[str]:
        """Return the ids in the state."""
        export = json.loads(self.project.pulumi("stack", "export", "--stack", STACK).stdout)
        return {one["id"] for one in export["deployment"].get("resources", ()) if "id" in one}

    def lose_from_state(self, *which: tuple[str, str]) -> None:
        """Remove resources from the state, by kind and name, as if the answer to their creation was lost."""
        export = json.loads(self.project.pulumi("stack", "export", "--stack", STACK).stdout)
        resources: list[Entry] = export["deployment"]["resources"]
        lost = {one["urn"] for one in resources if (one["type"].rsplit(":", 1)[-1], name(one)) in which}
        assert len(lost) == len(which)
        export["deployment"]["resources"] = [without(one, lost) for one in resources if one["urn"] not in lost]
        done = self.project.pulumi("stack", "import", "--stack", STACK, text_input=json.dumps(export))
        assert done.returncode == 0, done.stderr

    def holds(self) -> dict[str, list[str]]:
        """Return the ids of all objects in the cloud, by kind."""
        return {kind: sorted(things) for kind, things in self.cloud.store._kinds.items()}  # to compare

    def only(self, kind: str, name: str) -> Entry:
        """Return the only object of that name."""
        (thing,) = self.cloud.store.all(kind, name=name)
        return thing

    def delete_server(self, name: str) -> None:
        """Delete a server by the cloud's API, as a person can."""
        server = self.only("servers", name)
        self.cloud.store.remove("servers", server["id"])
        for port in self.cloud.store.all("ports", device_id=server["id"]):
            port.update(device_id="", device_owner="")
        for volume in self.cloud.store.all("volumes"):
            if any(one["server_id"] == server["id"] for one in volume["attachments"]):
                volume.update(status="available", attachments=[])

    def lock(self, text: str) -> Path:
        """Put a lock on the state."""
        folder = self.project.folder / "state" / ".pulumi" / "locks" / "organization" / "idr" / STACK
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "11111111-1111-1111-1111-111111111111.json"
        file.write_text(text)
        return file


def name(entry: Entry) -> str:
    return str(entry["urn"]).rsplit("::", 1)[-1]


def without(entry: Entry, lost: set[str]) -> Entry:
    on = {key: [urn for urn in urns if urn not in lost] for key, urns in entry.get("propertyDependencies", {}).items()}
    rest = [urn for urn in entry.get("dependencies", ()) if urn not in lost]
    return {**entry, "dependencies": rest, "propertyDependencies": on}


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    assert "Traceback" not in text
    for word in words:
        assert word in text, text
