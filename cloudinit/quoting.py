"""Quotes values for each kind of file: filters of the templates.

Values whose type (model/field_types.py) allows only letters, digits and dashes need none of them. These are for all
others.
"""

import hashlib
import shlex
from collections.abc import Callable


def shell(text: str) -> str:
    """A word for bash, and for the files of variables that systemd reads as well (systemd.exec(5), EnvironmentFile)."""
    return shlex.quote(text) if text else ""


def word(text: str) -> str:
    """A word for OMERO's command line, which reads its files as shlex does; also an empty one."""
    return shlex.quote(text)


def apt(text: str) -> str:
    """A value of apt.conf(5), which has no way to write a quotation mark or to end a line in one."""
    if not text.isprintable() or '"' in text:
        msg = "apt.conf cannot hold a quotation mark or a control character"
        raise ValueError(msg)
    return f'"{text}"'


def nginx(text: str) -> str:
    """A word of nginx's configuration, which has no way to write a dollar sign that begins no variable."""
    if not text.isprintable() or "$" in text:
        msg = "a text of nginx's configuration cannot hold a dollar sign or a control character"
        raise ValueError(msg)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def sha256(text: str) -> str:
    """The hash of a password, as Redis' users.acl has it."""
    return hashlib.sha256(text.encode()).hexdigest()


FILTERS: dict[str, Callable[[str], str]] = {"shell": shell, "word": word, "apt": apt, "nginx": nginx, "sha256": sha256}
