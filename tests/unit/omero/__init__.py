"""OMERO.server's configuration."""
