"""Drivers for a one-machine OpenStack 2024.2: containers with volumes, fake hosts that survive, raw-file volumes."""
