"""The version of this program."""

import tomllib
from importlib import metadata

from idr import checkout


def version() -> str:
    """Return the version in pyproject.toml of the checkout, or of the installed package."""
    try:
        text = (checkout.folder() / "pyproject.toml").read_text()
    except checkout.NoCheckoutError:
        return metadata.version("idr-deployment")
    return str(tomllib.loads(text)["project"]["version"])
