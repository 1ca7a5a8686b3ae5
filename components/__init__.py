"""Pulumi components: one file each, thin. They declare what the plan has decided."""
