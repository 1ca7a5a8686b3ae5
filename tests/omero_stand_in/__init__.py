"""A distribution of OMERO.server for tests: the layout of the true one, with stand-ins for its programs."""
