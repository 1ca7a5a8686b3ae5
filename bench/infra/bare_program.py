"""Declares what `resources.json` beside it lists, one call of the SDK each: a Pulumi program that decides nothing.

`bench.infra.bare` copies it as `__main__.py` of a project.
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pulumi

MARK = "output of "
"""Begins a text in place of an output of another resource: `output of <number>.<name>`."""
SEALED = "sealed "
"""Begins the name of a property that is secret."""


def declare(listed: dict[str, Any], declared: list[Any]) -> Any:
    """Declare one resource; `declared` are those before it."""
    opts = pulumi.ResourceOptions(
        parent=declared[listed["parent"]] if listed["parent"] is not None else None,
        depends_on=[declared[number] for number in listed["depends_on"]],
        **listed["options"],
    )
    properties = {
        key.removeprefix(SEALED): pulumi.Output.secret(value) if key.startswith(SEALED) else value
        for key, value in filled(listed["properties"], declared).items()
    }
    if "module" not in listed:
        return pulumi.ComponentResource(listed["type"], listed["name"], properties, opts)
    kind = getattr(importlib.import_module(listed["module"]), listed["class"])
    return kind(listed["name"], **{snake_case(key): value for key, value in properties.items()}, opts=opts)


def filled(value: Any, declared: list[Any]) -> Any:
    """Return the value with the outputs that it refers to."""
    if isinstance(value, str) and value.startswith(MARK):
        number, _, name = value.removeprefix(MARK).partition(".")
        return getattr(declared[int(number)], name)
    if isinstance(value, list):
        return [filled(item, declared) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, declared) for key, item in value.items()}
    return value


def snake_case(name: str) -> str:
    """Return the SDK's name of a property."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    done: list[Any] = []
    for resource in json.loads(Path("resources.json").read_text()):
        done.append(declare(resource, done))
