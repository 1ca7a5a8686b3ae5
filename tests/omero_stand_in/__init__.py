"""A distribution of OMERO.server for tests, with the layout of OMERO's and stand-ins for its programs."""
