"""Command lines of `idr` that are one file. What they use is beside this folder; larger ones are folders there."""
