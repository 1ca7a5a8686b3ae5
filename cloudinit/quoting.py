"""Filters of the templates that quote values for each kind of file.

Values whose type (model/field_types.py) allows only letters, digits and dashes need no quoting. All others do.
"""

import hashlib
import shlex
from collections.abc import Callable


def shell(text: str) -> str:
    """Quote a word for bash, and for environment files that systemd reads too (systemd.exec(5), EnvironmentFile)."""
    return shlex.quote(text) if text else ""


def word(text: str) -> str:
    """Quote a word for OMERO's command line, which reads its files with shlex; also an empty one."""
    return shlex.quote(text)


def apt(text: str) -> str:
    """Quote a value of apt.conf(5), which cannot contain quotation marks or line ends."""
    if not text.isprintable() or '"' in text:
        msg = "apt.conf cannot hold a quotation mark or a control character"
        raise ValueError(msg)
    return f'"{text}"'


def nginx(text: str) -> str:
    """Quote a word of nginx's configuration, which cannot contain a dollar sign other than of a variable."""
    if not text.isprintable() or "$" in text:
        msg = "a text of nginx's configuration cannot hold a dollar sign or a control character"
        raise ValueError(msg)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def sha256(text: str) -> str:
    """Hash a password for Redis' users.acl."""
    return hashlib.sha256(text.encode()).hexdigest()


FILTERS: dict[str, Callable[[str], str]] = {"shell": shell, "word": word, "apt": apt, "nginx": nginx, "sha256": sha256}
