"""Raw data to another place: by network with rclone, or on disks with a manifest of checksums."""
