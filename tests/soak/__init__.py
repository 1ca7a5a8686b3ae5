"""Long tests on the local OpenStack."""
