"""Prepare the new namespaces before the services start: mounts, disks, network."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from dev.cloud import layout
from dev.cloud.layout import State
from dev.cloud.machine import iptables_flavour
from dev.cloud.process import CloudError, run

_GIB = 1 << 30
_INOTIFY_INSTANCES = 8192


def prepare(state: State) -> None:
    """Prepare the namespaces for the services.

    Raises CloudError if a mount or an interface could not be created.
    """
    _mounts(state)
    _watches()
    _disks(state)
    _programs(state)
    _network(state)


def _sh(state: State, command: str) -> str:
    return run(state, ["/bin/sh", "-ec", command])


def _mounts(state: State) -> None:
    """Mount a /sys of this network, and a separate /run, so that services do not use the machine's."""
    aside = state.folder("run/cgroup")
    _sh(
        state,
        f"/usr/bin/mount --rbind /sys/fs/cgroup {aside}; umount -l /sys; /usr/bin/mount -t sysfs sysfs /sys;"
        f"/usr/bin/mount --rbind {aside} /sys/fs/cgroup; umount -l {aside}",
    )
    # On a machine with both versions of cgroups libvirt-lxc fails with the second:
    # "Unable to create directory /sys/fs/cgroup/unified: No such file or directory".
    if Path("/sys/fs/cgroup/unified").is_dir():
        _sh(state, "umount -l /sys/fs/cgroup/unified")
    _sh(state, "/usr/bin/mount -t tmpfs -o mode=755 tmpfs /run")
    for name in ("mysqld", "netns", "lock", "libvirt"):
        Path("/run", name).mkdir()
    # Left-over guests in the machine's /etc/libvirt make a new nova-compute refuse to start
    # ("My hypervisor has existing instances"), and this cloud's must not stay there either.
    for name, target in (("etc", "/etc/libvirt"), ("lib", "/var/lib/libvirt")):
        own, copied = state.folder(f"libvirt/{name}"), state.done(f"libvirt-{name}")
        if not copied.exists():
            _sh(state, f"cp -a {target}/. {own}/; rm -f {own}/qemu/*.xml {own}/lxc/*.xml")
            copied.touch()
        _sh(state, f"/usr/bin/mount --bind {own} {target}")
    # libvirt often looks up its own host name.
    hosts = state.run / "hosts"
    hosts.write_text("127.0.0.1 localhost local\n::1 localhost\n")
    _sh(state, f"/usr/bin/mount --bind {hosts} /etc/hosts")
    shutil.copy(state.etc / "qemu.conf", "/etc/libvirt/qemu.conf")


def _watches() -> None:
    """Raise the limit of root's inotify instances, of which Linux allows 128: each guest's systemd needs a few.

    Otherwise a guest ends right after its start ("Too many open files"), as seen with the thirtieth. There is no
    setting for a namespace, so it is the machine's; a higher one is kept.
    """
    setting = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(setting.read_text()) < _INOTIFY_INSTANCES:
        setting.write_text(str(_INOTIFY_INSTANCES))


def _disks(state: State) -> None:
    """Mount the disks' file system: XFS, because it copies a disk instantly by sharing its blocks (reflink)."""
    file, folder = state.disk_file, state.disks
    if not file.exists():
        new = file.with_suffix(".new")
        free = shutil.disk_usage(state.root).free
        with new.open("wb") as out:
            out.truncate(min(100 * _GIB, free - 5 * _GIB))  # sparse: uses space when it is written, and frees it again
        _sh(state, f"mkfs.xfs -q -f -m reflink=1 {new}")
        new.replace(file)
    try:
        _mount_disks(state, "--direct-io=on")  # otherwise every block is cached twice
    except CloudError:
        _mount_disks(state, "")
    for name in (
        *("glance/images", "glance/tasks", "glance/staging", "cinder/volumes", "cinder/mnt", "nova/mnt"),
        *("nova/instances/_base", "nova/instances/locks", "neutron", "placement"),
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _mount_disks(state: State, option: str) -> None:
    # Detached immediately: the device then exists as long as the mount, and the mount as long as the namespace.
    _sh(
        state,
        f"loop=$(losetup {option} -f --show {state.disk_file});"
        f"/usr/bin/mount -o noatime,discard $loop {state.disks} || {{ losetup -d $loop; exit 1; }}; losetup -d $loop",
    )


def _programs(state: State) -> None:
    """Link the packet filter's programs in the flavour that works here."""
    own = state.folder("bin")
    multi = f"/usr/sbin/xtables-{iptables_flavour()}-multi"
    links = {f"{tool}{end}": multi for tool in ("iptables", "ip6tables") for end in ("", "-save", "-restore")}
    links["ebtables"] = "/usr/sbin/xtables-nft-multi"  # legacy: many kernels lack its table
    for name, target in links.items():
        (own / name).unlink(missing_ok=True)
        (own / name).symlink_to(target)


def _network(state: State) -> None:
    """Create the external bridge with the cloud's end of the veth pair, and allow only the machine to use the APIs."""
    tcp = ",".join(str(port) for port in layout.PORTS.values())
    link, address, host = layout.CLOUD_LINK, layout.ADDRESS, layout.HOST_ADDRESS
    _sh(
        state,
        f"""
        hostname local
        ip link set lo up
        # Its own address: else it takes the lowest of its ports', which changes when one joins or leaves. The machine
        # then sends to the old one, and connections to the APIs time out.
        ip link add br-ex address {layout.BRIDGE_MAC} type bridge
        ip addr add {address}/{layout.EXTERNAL.prefixlen} dev br-ex
        ip link set {link} master br-ex up
        # Set by name, or the cable's own would be the bridge's. VXLAN's interfaces refuse to be made on a smaller one.
        ip link set br-ex mtu {layout.PHYSICAL_MTU} up
        sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
        iptables -P INPUT DROP
        iptables -A INPUT -i lo -j ACCEPT
        iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        iptables -A INPUT -i br-ex -p icmp -j ACCEPT
        iptables -A INPUT -i br-ex -m physdev --physdev-in {link} -s {host} -p tcp -m multiport --dports {tcp} -j ACCEPT
        # Guests answer the machine, but do not call on it: its own services may listen on every address.
        # In mangle, since Neutron accepts everything from its routers at the top of the filter table.
        iptables -t mangle -A FORWARD -m physdev --physdev-is-bridged --physdev-out {link} \
          -m conntrack --ctstate NEW -j DROP
        """,
    )


def guest_loops(state: State) -> list[str]:
    """Return loop devices of files in the disks' file system: volumes and roots of guests."""
    devices = json.loads(
        subprocess.run(
            ["losetup", "--json", "-l", "-O", "NAME,BACK-INO,BACK-MAJ:MIN,MAJ:MIN"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        or '{"loopdevices": []}'
    )["loopdevices"]
    if not state.disk_file.exists():
        return []
    disk = state.disk_file.stat()
    device = f"{os.major(disk.st_dev)}:{os.minor(disk.st_dev)}"
    outer = {
        loop["maj:min"].strip()
        for loop in devices
        if int(loop["back-ino"]) == disk.st_ino and loop["back-maj:min"].strip() == device
    }
    return [loop["name"] for loop in devices if loop["back-maj:min"].strip() in outer]
