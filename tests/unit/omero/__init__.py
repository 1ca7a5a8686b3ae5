"""Tests of OMERO.server's roles."""
