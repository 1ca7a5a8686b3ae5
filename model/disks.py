"""The device of a volume in a guest."""

SERIAL_LENGTH = 20
"""Length of the serial number of virtio-blk, which holds the beginning of the volume's id."""


def virtio_link(volume_id: str) -> str:
    """Return the volume's link in a KVM guest with virtio-blk.

    `common/scripts/storage` also knows the links of other hypervisors.
    """
    return f"/dev/disk/by-id/virtio-{volume_id[:SERIAL_LENGTH]}"
