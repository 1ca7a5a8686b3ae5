"""`idr diagram`: a picture of a stack, a pure function of its topology."""
