"""Checksums of every file of a tree, for data shipped on disks."""
