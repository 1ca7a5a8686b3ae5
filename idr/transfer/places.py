"""A place that rclone reads or writes, as a person gives it."""

import os.path
import re

OPTIONS = re.compile(r"^:?[\w.+@ -]+,(?P<options>.*)")
"""Those in a place itself (rclone's connection strings), as in `s3,region=eu:bucket` and `:s3,env_auth=true:bucket`."""
SECRET = re.compile(r"(?:^|,)(?P<name>\w*(?:secret|pass|token)\w*|(?:\w+_)?(?:key|key_pem|credentials|sas_url))=", re.I)


def problem(location: str) -> str:
    """What is wrong with a place; nothing where all is well."""
    if not location:
        return "a place is empty: is a variable of your shell not set?"
    if location.startswith("-"):
        return f"{location} would be an option of rclone; write ./{location}"
    options = OPTIONS.match(location)
    if options and (secret := SECRET.search(options["options"])):
        return (
            f"the place has a secret ({secret['name']}), which every user of this machine can see among the processes; "
            "keep it in rclone's configuration (rclone config)"
        )
    return ""


def is_inside(location: str, other: str) -> bool:
    """Whether both are folders of this machine, and one is the other or below it."""
    if any(":" in one.partition("/")[0] for one in (location, other)):
        return False
    inner, outer = os.path.realpath(location), os.path.realpath(other)
    return os.path.commonpath([inner, outer]) == outer
