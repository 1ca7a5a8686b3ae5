"""The scan of `idr storage`, which runs on the read-write node with Python's standard library only.

Memory does not grow with the number of files: database and folders are both read in the byte order of their paths, and
compared while they are read.
"""
