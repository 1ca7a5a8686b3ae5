"""The engine's messages and services, as the SDK has them, without the SDK itself.

The engine waits for this host to start, twice for each command. Importing the package `pulumi` takes longer than all
else in that time, and this process uses nothing else of it.
"""

import importlib.util
import sys
from types import ModuleType


def _only_a_path(name: str) -> None:
    """Let submodules of a package be imported without running the package's own code."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name=name)
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[name] = package


for package in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
    _only_a_path(package)

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402  # after the above

__all__ = ["language_pb2", "language_pb2_grpc", "plugin_pb2"]
