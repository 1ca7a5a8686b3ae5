"""In-place imports on the read-write node: what checks, runs and remembers them. Standard library only."""
