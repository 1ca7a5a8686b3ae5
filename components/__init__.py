"""Pulumi components: one file each, thin. They declare what the plan has decided."""

import gc

OBJECTS = 1_000_000
"""How many new objects a program makes before Python looks for garbage among them.

Modules and resources stay until the program ends. Python's usual 700 has it look through them again and again.
"""

gc.set_threshold(OBJECTS)
