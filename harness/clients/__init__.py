"""Runs the programs of the IDR's users, in a separate Python environment with its own hosts file."""
