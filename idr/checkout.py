"""The checkout that `idr` runs from: the folder of the stack files, and of the engine's project.

An installed `idr` has none. It works on saved outputs and previews (ADR 32).
"""

from pathlib import Path

from idr.errors import IdrError

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the packages: a checkout, or the `site-packages` of an environment."""


class NoCheckoutError(IdrError):
    """The command needs a checkout, and `idr` is installed without one."""

    def __init__(self) -> None:
        super().__init__(
            "this command reads a stack file, and an installed idr has none: run `bin/idr` in a checkout. "
            "inventory, ssh, status, diagram, import and storage also read saved outputs: --from FILE"
        )


def folder() -> Path:
    """Return the checkout, independent of the current folder. Raises NoCheckoutError."""
    if not (ROOT / "Pulumi.yaml").is_file():
        raise NoCheckoutError
    return ROOT


def stack_file(stack: str) -> Path:
    """Return the path of a stack's file, which need not exist. Raises NoCheckoutError."""
    return folder() / f"Pulumi.{stack}.yaml"


def stack_names() -> list[str]:
    """Return the stacks that have a file in the checkout. Raises NoCheckoutError."""
    return sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in folder().glob("Pulumi.*.yaml"))
