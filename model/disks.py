"""How a guest sees a volume of the cloud."""

SERIAL_LENGTH = 20
"""Characters of a volume's id that virtio-blk, the usual kind of disk, has room for as a serial number."""


def virtio_link(volume_id: str) -> str:
    """The volume's link in a KVM guest with virtio-blk.

    `common/scripts/storage` also knows the links of other hypervisors.
    """
    return f"/dev/disk/by-id/virtio-{volume_id[:SERIAL_LENGTH]}"
