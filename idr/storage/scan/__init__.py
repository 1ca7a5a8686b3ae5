"""The part of `idr storage` that runs on the read-write node, with Python's standard library alone.

Nothing is kept in memory that grows with the number of files: database and folders are both read in the order of the
bytes of their paths, and compared as they come.
"""
