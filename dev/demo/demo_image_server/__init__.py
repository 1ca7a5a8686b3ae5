"""The demo image server: stands in for OMERO.server on the `local` stack, and nowhere else.

It has the part of OMERO's Ice interface that an unmodified OMERO.web needs to show one plate to the public user.
"""
