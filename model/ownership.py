"""The stack of an object in the cloud, by labels in its metadata, tags and description, never by its name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

STACK = "idr_stack"
SEPARATOR = "="


@dataclass(frozen=True)
class Labels:
    """The labels of an object in the cloud: stack, release (or the bastion's network) and roles."""

    stack: str
    release: str | None = None
    roles: tuple[str, ...] = ()

    def metadata(self) -> dict[str, str]:
        """Return the labels as metadata, for servers and volumes."""
        values = {STACK: self.stack, "idr_release": self.release, "idr_roles": ",".join(self.roles)}
        return {key: value for key, value in values.items() if value}

    def tags(self) -> list[str]:
        """Return the labels as tags, for Neutron's objects."""
        return [f"{key.replace('_', '-')}{SEPARATOR}{value}" for key, value in self.metadata().items()]

    def description(self) -> str:
        """Return the labels as a description, for Neutron's objects.

        Neutron sets tags in a second request. The description is part of the first, so it identifies an object whose
        creation was interrupted between the two.
        """
        return " ".join(self.tags())


def stack_of_metadata(metadata: Mapping[str, str]) -> str | None:
    """Return the stack of a server or volume; None for an object of others."""
    return metadata.get(STACK)


def stack_of(tags: Iterable[str], description: str | None) -> str | None:
    """Return the stack of an object of Neutron; None for an object of others."""
    prefix = f"{STACK.replace('_', '-')}{SEPARATOR}"
    labels = [*tags, *(description or "").split()]
    return next((label.removeprefix(prefix) for label in labels if label.startswith(prefix)), None)
