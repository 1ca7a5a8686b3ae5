"""In-place imports: lists are read here, and imported on the read-write node by `idr.importer`."""
