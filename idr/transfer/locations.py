"""Sources and destinations of rclone, as the user writes them."""

import os.path
import re

OPTIONS = re.compile(r"^:?[\w.+@ -]+,(?P<options>.*)")
"""Options in a connection string of rclone, as in `s3,region=eu:bucket` and `:s3,env_auth=true:bucket`."""
SECRET = re.compile(r"(?:^|,)(?P<name>\w*(?:secret|pass|token)\w*|(?:\w+_)?(?:key|key_pem|credentials|sas_url))=", re.I)


def problem(location: str) -> str:
    """The problem of a location; empty if it is valid."""
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


def is_inside(location: str, other: str) -> bool:
    """Whether both are local folders, and `location` is `other` or below it."""
    if any(":" in one.partition("/")[0] for one in (location, other)):
        return False
    inner, outer = os.path.realpath(location), os.path.realpath(other)
    return os.path.commonpath([inner, outer]) == outer
