"""What an update would do, for a reviewer: a short summary of a preview, worst first, and guard rails that fail it."""
