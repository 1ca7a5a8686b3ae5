"""Tests on the local OpenStack, with guests."""
