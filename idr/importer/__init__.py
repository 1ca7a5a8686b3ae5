"""In-place imports on the read-write node: checks, worker and ledger. Standard library only."""
