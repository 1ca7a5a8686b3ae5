"""Checksums of every file of a tree, for data that travel on disks."""
