"""Guest images: copied directly into Glance's store and Nova's cache, not through an API."""

import hashlib
import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

from dev.cloud import control
from dev.cloud.layout import State, write_private
from dev.cloud.process import CloudError

# Nova's own command line lacks `rw`, and the image's fstab has no root, because a container mounts its fstab. Network
# devices have the names of containers. The last option is Nova's own for QEMU, whose timer may be late.
_COMMAND_LINE = "root=/dev/vda rw console=tty0 console=ttyS0 net.ifnames=0 no_timer_check"


def sha256(state: State, path: Path) -> str:
    """Return the file's checksum, cached by its path, size and time: a sparse disk of 4 GiB takes seconds to read."""
    stat = path.stat()
    key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    memory = state.root / "checksums.json"
    known: dict[str, str] = json.loads(memory.read_text()) if memory.exists() else {}
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        write_private(memory, json.dumps(known))
    return known[key]


def register(state: State, path: Path, name: str, kernel: Path | None, initrd: Path | None) -> str:
    """Register a public image of this name and content. Return what was done.

    An older one of the same name is deleted: its guests have their own copies.

    Raises CloudError if the cloud is not up, or a file cannot be read.
    """
    import openstack

    cloud = openstack.connect(cloud="idr-local-admin")
    image_properties = {}
    for kind, file in (("kernel", kernel), ("ramdisk", initrd)):
        if file:
            short = {"kernel": "aki", "ramdisk": "ari"}[kind]
            image_properties[f"{kind}_id"] = _ensure(state, cloud, file, f"{name}-{kind}", short, {})[0]
    if kernel:
        image_properties["os_command_line"] = _COMMAND_LINE
    identifier, new = _ensure(state, cloud, path, name, "raw", image_properties)
    return f"image {name} is {identifier}{'' if new else ' already'}"


def _ensure(
    state: State, cloud: Any, path: Path, name: str, disk_format: str, properties: dict[str, str]
) -> tuple[str, bool]:
    """Return the id of the image of this name and content, and whether it is new."""
    if not path.is_file():
        raise CloudError(f"{path} is not a file")
    properties = properties | {"sha256": sha256(state, path)}
    before = [image for image in cloud.image.images(name=name) if image.name == name]
    for image in before:
        if all((image.properties or {}).get(key, image.get(key)) == value for key, value in properties.items()):
            return str(image.id), False
    identifier = str(uuid.uuid4())
    stored = state.disks / "glance" / "images" / identifier
    copies = [stored]
    if disk_format == "raw":  # the path where Nova stores it when the first guest starts
        cached = hashlib.sha1(identifier.encode(), usedforsecurity=False).hexdigest()
        copies.append(state.disks / "nova" / "instances" / "_base" / cached)
    source = path.resolve()
    for target in copies:
        _inside(state, ["cp", "--reflink=auto", "--sparse=always", str(source), str(target)])
        source = stored
    row = {
        "id": identifier,
        "name": name,
        "size": path.stat().st_size,
        "path": str(stored),
        "owner": cloud.current_project_id,
        "disk_format": disk_format,
        "properties": properties,
        "container_format": "bare" if disk_format == "raw" else disk_format,
    }
    config = ["--config-file", str(state.etc / "glance-api.conf")]
    _inside(state, ["python", "-m", "idr_openstack.register_image", *config], json.dumps(row))
    for image in before:
        cloud.image.delete_image(image.id)
    return identifier, True


def _inside(state: State, argv: list[str], text_input: str = "") -> None:
    done = subprocess.run(control.enter(state, argv), input=text_input, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise CloudError(f"{argv[0]} failed: {last}")
