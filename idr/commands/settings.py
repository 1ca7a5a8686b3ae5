"""`idr settings`: the values of a stack's settings, and the file that each comes from."""

import json
import re
from typing import Any

from idr import stack_file
from idr.cli import AsJson, Stack, console, print_json, table
from model.overrides import Keys, paths


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Show every value of a stack's settings with its overrides merged in, and the file that each came from.

    Encrypted values are not decrypted. Needs neither cloud nor engine.
    """
    values, source = stack_file.merged(stack)
    rows = [(keys, _without_password(_value(values, keys)), source.file_of(keys)) for keys in paths(values)]
    if as_json:
        print_json([{"key": list(keys), "value": value, "file": name} for keys, value, name in rows])
        return
    shown = table("key", "value", "file")
    for keys, value, name in rows:
        shown.add_row(".".join(keys), value if isinstance(value, str) else json.dumps(value), name)
    console().print(shown)


def _without_password(value: Any) -> Any:
    """Return the value without passwords in addresses, which should not be shown on a terminal."""
    if isinstance(value, list):
        return [_without_password(inner) for inner in value]
    return re.sub(r"(://[^/?#:@]*):[^/?#]*@", r"\1:(password)@", value) if isinstance(value, str) else value


def _value(values: Any, keys: Keys) -> Any:
    for key in keys:
        values = values[key]
    return values
