"""Measures the time from `pulumi up` to ready for each role, by phase."""
