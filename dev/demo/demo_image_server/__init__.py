"""The demo image server: stands in for OMERO.server on the `local` stack, and nowhere else.

It speaks as much of OMERO's Ice interface as an unmodified OMERO.web needs to show one plate to the public user.
"""
