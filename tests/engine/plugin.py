"""The OpenStack provider's own plugin, asked without the engine: a look-up takes a third of a second."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

SECONDS = 30
NETWORK = "openstack:networking/getNetwork:getNetwork"


class RefusedError(Exception):
    """The provider refused its settings, or the look-up failed."""


def home() -> Path:
    """Return the engine's folder of plugins."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def executable() -> Path:
    """Return the plugin that the engine uses."""
    return home() / "plugins" / f"resource-openstack-v{version('pulumi_openstack')}" / "pulumi-resource-openstack"


def network_id(name: str, settings: Mapping[str, str], environment: Mapping[str, str], folder: Path) -> str:
    """Return the id of a network, as the provider looks it up in `folder`. Raises RefusedError with its message."""
    with _running(environment, folder) as provider:
        try:
            provider.Configure(provider_pb2.ConfigureRequest(args=_struct(settings)), timeout=SECONDS)
            asked = provider_pb2.InvokeRequest(tok=NETWORK, args=_struct({"name": name}))
            answer = provider.Invoke(asked, timeout=SECONDS)
        except grpc.RpcError as error:
            raise RefusedError(error.details()) from None
        if answer.failures:
            raise RefusedError(answer.failures[0].reason)
        return str(getattr(answer, "return")["id"])


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(dict(values))
    return struct


@contextmanager
def _running(environment: Mapping[str, str], folder: Path) -> Iterator[Any]:
    # The address of an engine: the plugin only sends its log there.
    command = [str(executable()), "127.0.0.1:1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=dict(environment), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.terminate()
