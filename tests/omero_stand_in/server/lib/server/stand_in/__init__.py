"""Stand-ins for what the jars of OMERO.server do. They run in the guest, beside the demo image server."""
