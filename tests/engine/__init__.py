"""Tests with the real Pulumi engine and plugins, and a fake cloud."""
