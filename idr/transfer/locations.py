"""Sources and destinations of rclone, as the user writes them."""

import os.path
import re
from pathlib import Path

ROOT = Path("/")
OPTIONS = re.compile(r"^:?[\w.+@ -]+,(?P<options>.*)")
"""Options in a connection string of rclone, as in `s3,region=eu:bucket` and `:s3,env_auth=true:bucket`."""
SECRET = re.compile(
    r"(?:^|,)(?P<name>\w*(?:secret|pass|token)\w*|(?:\w+_)?(?:key|key_pem|credentials|sas_url))=", re.IGNORECASE
)


def problem(location: str) -> str:
    """Return the problem of a location; empty if it is valid."""
    if not location:
        return "a location is empty: is a variable of your shell not set?"
    if location.startswith("-"):
        return f"{location} would be an option of rclone; write ./{location}"
    options = OPTIONS.match(location)
    if options and (secret := SECRET.search(options["options"])):
        return (
            f"the location has a secret ({secret['name']}), which every user of this machine can see (ps); "
            "keep it in rclone's configuration (rclone config)"
        )
    return ""


def unmounted(location: str) -> str:
    """Return where on this machine's root disk a new copy would begin; nothing where it would not.

    A disk that is not mounted leaves an empty folder there, or none. A folder with something in it is no such one.
    """
    if _is_remote(location):
        return ""
    folder = Path(os.path.realpath(location))
    try:
        if any(folder.iterdir()):
            return ""
    except FileNotFoundError:
        pass
    except OSError:  # rclone says what is wrong with it
        return ""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return str(there) if there.stat().st_dev == ROOT.stat().st_dev else ""


def is_inside(location: str, other: str) -> bool:
    """Return whether both are local folders, and `location` is `other` or below it."""
    if any(map(_is_remote, (location, other))):
        return False
    inner, outer = os.path.realpath(location), os.path.realpath(other)
    return os.path.commonpath([inner, outer]) == outer


def _is_remote(location: str) -> bool:
    return ":" in location.partition("/")[0]
