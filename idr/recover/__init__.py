"""`idr recover`: after an `up` that was cut off, cloud and state agree again."""
