"""The config drive of a container: the files of the usual ISO, in the folder where cloud-init reads a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nova.api.metadata import base as metadata
from nova.virt import configdrive
from nova.virt.libvirt import utils as libvirt_utils


def write(instance: Any, injection_info: Any) -> None:
    """Write an instance's metadata into its root file system, which must be mounted."""
    password = injection_info.admin_pass
    meta = metadata.InstanceMetadata(
        instance,
        content=injection_info.files,
        network_info=injection_info.network_info,
        extra_md={"admin_pass": password} if password else {},
    )
    root = Path(libvirt_utils.get_instance_path(instance)) / "rootfs"
    seed = root / "var/lib/cloud/seed/config_drive"
    seed.mkdir(parents=True, exist_ok=True, mode=0o700)
    with configdrive.ConfigDriveBuilder(instance_md=meta) as builder:
        for name, data in builder.mdfiles:
            target = seed / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data if isinstance(data, bytes) else data.encode())
