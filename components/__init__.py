"""Pulumi components, one file each. They declare what the plan has decided."""
