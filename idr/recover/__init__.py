"""`idr recover`: make cloud and state agree after an interrupted update."""
