"""Copy raw data by network with rclone, and estimate whether shipping disks is faster."""
