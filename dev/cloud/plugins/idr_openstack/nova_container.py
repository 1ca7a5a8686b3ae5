"""Nova driver: libvirt-lxc guests with Cinder volumes and a config drive. The stock driver supports neither.

A volume (a raw file) has a loop device on the host. libvirt creates the device node in the running container and allows
it in the devices cgroup. A container has no udev, so this driver creates the links /dev/vdX and
/dev/disk/by-id/virtio-<first 20 characters of the volume's id> through /proc/PID/root. Only the Cinder driver handles
snapshots. There are no user namespaces: a guest's root is nearly the host's. Use it only on a machine for tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nova import exception, utils
from nova.compute import power_state
from nova.virt import block_device, configdrive
from nova.virt import driver as virt_driver
from nova.virt.libvirt import driver
from oslo_log import log

from idr_openstack import config_drive, groups, loops, lxc

LOG = log.getLogger(__name__)

_HOSTDEV = "<hostdev mode='capabilities' type='storage'><source><block>{}</block></source></hostdev>"
_LIVE = 1  # VIR_DOMAIN_AFFECT_LIVE
_INIT = "<init>/sbin/init</init>"
# The driver attaches volumes and creates the control group after the container has started, so init waits for both. It
# mounts the volumes itself, because systemd ignores the devices of fstab where /sys is read-only.
_WAITING_INIT = (
    "<init>/bin/sh</init><initarg>-c</initarg><initarg>until [ -e /dev/.plugged ]; do sleep .02; done; "
    "mount -a -t xfs,ext4; exec /sbin/init</initarg>"
)
_NAMES = [f"/dev/vd{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"]

Info = dict[str, Any]


class ContainerDriver(driver.LibvirtDriver):
    """The libvirt driver, with volumes and a config drive for containers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending: dict[str, list[Info]] = {}  # volumes of guests that are being started

    # -- host side: volume file <-> loop device -----------------------------------------------------------------------
    def _file(self, info: Info) -> str:
        # From the volume driver: Nova does not store `device_path` for volumes that were attached at boot.
        path: str = self._get_volume_driver(info)._get_device_path(info)
        return path

    @utils.synchronized("idr-loop")
    def _connect_volume(self, context: Any, connection_info: Info, instance: Any, encryption: Any = None) -> None:
        if connection_info["data"].get("format", "raw") != "raw":
            raise exception.InvalidVolume(reason="containers take raw volumes only")
        super()._connect_volume(context, connection_info, instance, encryption)
        loops.attach(self._file(connection_info))

    @utils.synchronized("idr-loop")
    def _disconnect_volume(
        self,
        context: Any,
        connection_info: Info,
        instance: Any,
        encryption: Any = None,
        destroy_secrets: bool = True,
        force: bool = False,
    ) -> None:
        loops.detach(self._file(connection_info))
        super()._disconnect_volume(context, connection_info, instance, encryption, destroy_secrets, force)

    # -- guest side ---------------------------------------------------------------------------------------------------
    def _running(self, instance: Any) -> tuple[Any, int] | None:
        """Return libvirt's guest and the process id of its init, if it runs."""
        try:
            guest = self._host.get_guest(instance)
        except exception.InstanceNotFound:
            return None
        if guest.get_power_state(self._host) != power_state.RUNNING:
            return None
        # The domain's own process is libvirt's controller; the container's init is its child.
        children = Path(f"/proc/{guest.id}/task/{guest.id}/children").read_text().split()
        return (guest, int(children[0])) if children else None

    @staticmethod
    def _links(info: Info, mountpoint: str) -> list[str]:
        volume = block_device.get_volume_id(info)
        return [f"dev/{mountpoint.rpartition('/')[2]}", f"dev/disk/by-id/virtio-{volume[:20]}"]

    def _plug(self, context: Any, info: Info, instance: Any, mountpoint: str) -> None:
        self._connect_volume(context, info, instance)
        running = self._running(instance)
        loop = loops.over(self._file(info))
        if running is None or loop is None:
            return  # the guest is stopped; its next start plugs the volume
        guest, pid = running
        root = Path(f"/proc/{pid}/root")
        if not (root / loop.name[1:]).exists():
            guest._domain.attachDeviceFlags(_HOSTDEV.format(loop.name), _LIVE)
        for link in self._links(info, mountpoint):
            (root / link).parent.mkdir(parents=True, exist_ok=True)
            (root / link).unlink(missing_ok=True)
            (root / link).symlink_to(loop.name)

    def _unplug(self, info: Info, instance: Any, mountpoint: str) -> None:
        running, loop = self._running(instance), loops.over(self._file(info))
        if running is None or loop is None:
            return
        guest, pid = running
        for target in lxc.mounted(pid, loop.number):
            LOG.warning("%s is still mounted at %s: shut down", loop.name, target, instance=instance)
            lxc.pull(pid, target)
        root = Path(f"/proc/{pid}/root")
        for link in self._links(info, mountpoint):
            (root / link).unlink(missing_ok=True)
        if (root / loop.name[1:]).exists():
            guest._domain.detachDeviceFlags(_HOSTDEV.format(loop.name), _LIVE)

    def attach_volume(
        self,
        context: Any,
        connection_info: Info,
        instance: Any,
        mountpoint: str,
        disk_bus: Any = None,
        device_type: Any = None,
        encryption: Any = None,
    ) -> None:
        """Attach a volume to a running guest."""
        try:
            self._plug(context, connection_info, instance, mountpoint)
        except Exception:
            LOG.exception("attaching %s failed", mountpoint, instance=instance)
            self._disconnect_volume(context, connection_info, instance)
            raise

    def detach_volume(
        self,
        context: Any,
        connection_info: Info,
        instance: Any,
        mountpoint: str,
        encryption: Any = None,
    ) -> None:
        """Detach a volume, mounted or not, like the removal of a disk."""
        self._unplug(connection_info, instance, mountpoint)
        self._disconnect_volume(context, connection_info, instance)

    def extend_volume(self, context: Any, connection_info: Info, instance: Any, requested_size: int) -> None:
        """Resize the guest's device. Cinder's driver has extended the file."""
        loops.resize(self._file(connection_info))

    # -- start: libvirt's XML has no volumes --------------------------------------------------------------------------
    def _without_volumes(self, instance: Any, info: Info | None) -> Info | None:
        self._pending[instance.uuid] = virt_driver.block_device_info_get_mapping(info)
        return info and dict(info, block_device_mapping=[])

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Info | None = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        bare = self._without_volumes(instance, block_device_info)
        super().spawn(
            *(context, instance, image_meta, injected_files, admin_password, allocations),
            *(network_info, bare, power_on, accel_info),
        )

    def _hard_reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Info | None = None,
        accel_info: Any = None,
    ) -> None:
        bare = self._without_volumes(instance, block_device_info)
        super()._hard_reboot(context, instance, network_info, bare, accel_info)

    def _create_guest(self, context: Any, xml: str, instance: Any, *args: Any, **kwargs: Any) -> Any:
        volumes = self._pending.pop(instance.uuid, [])
        for volume in volumes:
            self._connect_volume(context, volume["connection_info"], instance)
        guest = super()._create_guest(context, xml.replace(_INIT, _WAITING_INIT), instance, *args, **kwargs)
        if guest.get_power_state(self._host) == power_state.RUNNING:
            lxc.settle(guest, instance)
            self._plug_all(context, instance, volumes)
        return guest

    def _plug_all(self, context: Any, instance: Any, volumes: list[Info]) -> None:
        """Plug the volumes of a guest that has just started, and let its init continue."""
        for volume in volumes:
            self._plug(context, volume["connection_info"], instance, volume["mount_device"])
        running = self._running(instance)
        if running:
            groups.enter(running[1], instance.name)
            Path("/proc", str(running[1]), "root", "dev", ".plugged").touch()

    def _destroy(self, instance: Any) -> None:
        lxc.until_off(lambda: super(ContainerDriver, self)._destroy(instance))
        groups.remove(instance.name)

    def _soft_reboot(self, instance: Any) -> bool:
        """Return False, so that Nova reboots hard: a container that reboots itself loses its device nodes."""
        return False

    # -- resize: on the same host, without a copy of the root disk ----------------------------------------------------
    def migrate_disk_and_power_off(
        self,
        context: Any,
        instance: Any,
        dest: str,
        flavor: Any,
        network_info: Any,
        block_device_info: Info | None = None,
        timeout: int = 0,
        retry_interval: int = 0,
    ) -> str:
        """Stop a guest for a resize. The stock driver would copy disks, and a container has none."""
        if flavor.root_gb < instance.flavor.root_gb:
            raise exception.InstanceFaultRollback(exception.ResizeError(reason="the disk would be smaller"))
        self.power_off(instance, timeout, retry_interval)
        self.unplug_vifs(instance, network_info)
        for volume in virt_driver.block_device_info_get_mapping(block_device_info):
            self._disconnect_volume(context, volume["connection_info"], instance)
        return "[]"

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        disk_info: str,
        network_info: Any,
        image_meta: Any,
        resize_instance: bool,
        allocations: Any,
        block_device_info: Info | None = None,
        power_on: bool = True,
    ) -> None:
        """Start the guest with the memory and processors of its new flavor."""
        if power_on:
            self._hard_reboot(context, instance, network_info, block_device_info)

    def finish_revert_migration(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        migration: Any,
        block_device_info: Info | None = None,
        power_on: bool = True,
    ) -> None:
        """Start the guest with the memory and processors of its old flavor."""
        if power_on:
            self._hard_reboot(context, instance, network_info, block_device_info)

    def confirm_migration(self, context: Any, migration: Any, instance: Any, network_info: Any) -> None:
        """Do nothing: no files of the old flavor are left."""

    # -- device names: Nova knows no disk bus for containers ----------------------------------------------------------
    def default_root_device_name(self, instance: Any, image_meta: Any, root_bdm: Any) -> str:
        return "/dev/vda"

    def get_device_name_for_instance(self, instance: Any, bdms: Any, block_device_obj: Any) -> str:
        used = {bdm.device_name for bdm in bdms}
        return next(name for name in _NAMES if name not in used)

    def default_device_names_for_instance(self, instance: Any, root_device_name: str, *lists: Any) -> None:
        free = iter(_NAMES)
        for device in (device for devices in lists for device in devices):
            device.device_name = root_device_name if device.boot_index == 0 else next(free)
            device.save()

    # -- config drive -------------------------------------------------------------------------------------------------
    def _create_configdrive(self, context: Any, instance: Any, injection_info: Any, rescue: bool = False) -> None:
        """Write the config drive where cloud-init's ConfigDrive source reads a seed. The root is mounted now."""
        if configdrive.required_by(instance):
            config_drive.write(instance, injection_info)
