"""Commands of an update that ran nowhere in the stack before."""

import json
from collections.abc import Iterator

from idr.resources import CONFIGURATION, LOCAL_COMMAND
from idr.review.preview import Preview, State, Step

# Properties that change what a command runs.
AROUND = ("dir", "environment", "interpreter")


def new_commands(preview: Preview) -> tuple[str, ...]:
    """Return commands that ran nowhere in the stack before, on nodes (as root) or by the engine, a line each."""
    before: set[str] = set()
    after: set[str] = set()
    for step in preview.steps:
        if step.type.startswith("command:"):
            before.update(_commands(step, step.old))
            after.update(_commands(step, step.new))
    return tuple(sorted(command.replace("\n", "\\n") for command in after - before))


def _commands(step: Step, state: State | None) -> Iterator[str]:
    """Return the commands of a resource; for a type that this program does not use, a note of its existence."""
    if state is None:
        return
    if step.type not in (CONFIGURATION, LOCAL_COMMAND):
        yield f"{step.type} {step.name}"
    around = {key: state.inputs[key] for key in AROUND if state.inputs.get(key)}
    suffix = f" with {json.dumps(around, sort_keys=True)}" if around else ""
    yield from (f"{state.inputs[key]}{suffix}" for key in ("create", "update", "delete") if state.inputs.get(key))
