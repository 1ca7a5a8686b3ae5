"""Time from `pulumi up` to ready, role by role, and where it goes."""
