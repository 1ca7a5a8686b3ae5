"""The review of a preview."""
