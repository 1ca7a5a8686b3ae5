"""Tests: unit (no cloud), engine (Pulumi and its plugins), cloud (the local OpenStack)."""
