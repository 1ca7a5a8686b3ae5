"""The program for the engine: components, one file each, which declare what the plan has decided, and its checks.

A garbage collection searches every module and resource, and all of them stay until the program ends. So it runs less
often from the first import of this package on: what imports create is most of it.
"""

import gc

OBJECTS = 1_000_000
"""How many new objects start a garbage collection. Python's default is 700."""

gc.set_threshold(OBJECTS)
