"""Pulumi components, one file each. They declare what the plan has decided."""

import gc

OBJECTS = 1_000_000
"""How many new objects start a garbage collection.

Modules and resources stay until the program ends, and each collection searches all of them. Python's default is 700.
"""

gc.set_threshold(OBJECTS)
