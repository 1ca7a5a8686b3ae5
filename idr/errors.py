"""The errors that users see when a command cannot do its work."""


class IdrError(Exception):
    """An error that the user can correct: the text says what is wrong, where, and what to do, in a line or two.

    `idr.cli` prints it without a traceback and ends with exit status 1.
    """
