"""Types for the parts of `pulumi preview --json --show-sames` that a review reads."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from idr.errors import IdrError
from idr.resources import name_of, release_of, type_of
from model.messages import reason


class PreviewError(IdrError):
    """The text is not a preview that can be reviewed."""


class Kind(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    SAME = "same"
    READ = "read"


# The engine can show several of these for one replaced resource.
_KINDS = {
    "create": Kind.CREATE,
    "import": Kind.CREATE,
    "update": Kind.UPDATE,
    "replace": Kind.REPLACE,
    "create-replacement": Kind.REPLACE,
    "delete-replaced": Kind.REPLACE,
    "import-replacement": Kind.REPLACE,
    "delete": Kind.DELETE,
    "same": Kind.SAME,
}


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True)


class State(_Model):
    """A resource before or after. Secret values read "[secret]"."""

    protect: bool = False
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    property_dependencies: dict[str, list[str]] = {}

    def depends_on(self, property_name: str) -> str | None:
        """Return the name of the resource from which a property's value comes."""
        urns = self.property_dependencies.get(property_name)
        return name_of(urns[0]) if urns else None


class Step(_Model):
    """What happens to one resource."""

    op: str
    urn: str
    old: State | None = Field(default=None, alias="oldState")
    new: State | None = Field(default=None, alias="newState")
    detailed_diff: dict[str, Any] | None = None

    @property
    def kind(self) -> Kind:
        """What happens to it."""
        return _KINDS.get(self.op, Kind.READ)

    @property
    def type(self) -> str:
        """Its type token, as in `openstack:compute/instance:Instance`."""
        return type_of(self.urn)

    @property
    def name(self) -> str:
        """Its name in the program, as in `prod130-database`."""
        return name_of(self.urn)

    @property
    def release(self) -> str:
        """Its release, or the first part of another name."""
        return release_of(self.name)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Properties that force a replacement, else those that change."""
        changes = self.detailed_diff or {}
        forcing = [key for key, value in changes.items() if str(value.get("kind", "")).endswith("-replace")]
        return tuple(sorted(forcing or changes))


class Diagnostic(_Model):
    """A message of the engine."""

    message: str
    severity: str


class Preview(_Model):
    """A whole preview, also one that failed half-way: then its diagnostics have errors. A replacement is one step."""

    steps: tuple[Step, ...]
    config: dict[str, Any] = {}
    change_summary: dict[str, int] = {}
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether the stack does not exist yet."""
        return not any(step.old for step in self.steps)

    @property
    def errors(self) -> tuple[str, ...]:
        """Every error of the engine, complete, except the one that only says that it failed.

        Each mistake in a stack file is a separate error.
        """
        messages = [item.message for item in self.diagnostics if item.severity == "error"]
        texts = [reason(part) for message in messages for part in re.split(r"\n(?=Pulumi\.\S+\.yaml: )", message)]
        return tuple(text for text in texts if text != "error: preview failed")

    def of(self, type_token: str, *kinds: Kind) -> Iterator[Step]:
        """Return steps on resources of a type, by name; of all kinds by default."""
        for step in sorted(self.steps, key=lambda item: item.name):
            if step.type == type_token and (not kinds or step.kind in kinds):
                yield step


def read(text: str) -> Preview:
    """Parse a preview. Raises PreviewError if the text is none, or lacks the unchanged resources.

    A review needs these: a volume that loses only its protection counts as unchanged for the engine.
    """
    try:
        parsed = Preview.model_validate_json(text)
    except ValidationError:
        msg = "this is not the JSON of a preview; make one with: pulumi preview --json --show-sames"
        raise PreviewError(msg) from None
    shown = sum(step.kind == Kind.SAME for step in parsed.steps)
    if shown < parsed.change_summary.get("same", 0):
        msg = "the preview leaves out unchanged resources; make it with: pulumi preview --json --show-sames"
        raise PreviewError(msg)
    once = {(step.urn, step.kind): step for step in parsed.steps}
    return parsed.model_copy(update={"steps": tuple(once.values())})
