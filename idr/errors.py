"""The errors that users see when a command cannot do its work."""


class IdrError(Exception):
    """Something is wrong that the user can act on: the text says what, where and what to do, in a line or two.

    `idr.cli` prints it without a traceback and ends with exit status 1.
    """
