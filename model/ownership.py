"""Which stack an object of the cloud belongs to, by labels in its metadata, tags and description, never by its name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

STACK = "idr_stack"
SEPARATOR = "="


@dataclass(frozen=True)
class Labels:
    """The stack, the release (or the bastion's network) and the roles that an object of the cloud is for."""

    stack: str
    release: str | None = None
    roles: tuple[str, ...] = ()

    def metadata(self) -> dict[str, str]:
        """As metadata, for servers and volumes."""
        values = {STACK: self.stack, "idr_release": self.release, "idr_roles": ",".join(self.roles)}
        return {key: value for key, value in values.items() if value}

    def tags(self) -> list[str]:
        """As tags, for the objects of Neutron."""
        return [f"{key.replace('_', '-')}{SEPARATOR}{value}" for key, value in self.metadata().items()]

    def description(self) -> str:
        """As a description, for the objects of Neutron.

        Neutron sets tags in a second request. The description is part of the first, so an object whose creation was
        cut off in between can still be recognised.
        """
        return " ".join(self.tags())


def stack_of_metadata(metadata: Mapping[str, str]) -> str | None:
    """The stack that a server or volume belongs to; None for an object of somebody else."""
    return metadata.get(STACK)


def stack_of(tags: Iterable[str], description: str | None) -> str | None:
    """The stack that an object of Neutron belongs to; None for an object of somebody else."""
    prefix = f"{STACK.replace('_', '-')}{SEPARATOR}"
    labels = [*tags, *(description or "").split()]
    return next((label.removeprefix(prefix) for label in labels if label.startswith(prefix)), None)
