"""The command provider's own plugin, used by the engine for machines that do not exist.

It checks and compares as always. A command for a machine is only recorded, and succeeds.
"""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from idr.resources import name_of, type_of
from tests.engine.plugin import home

SERVICE = "/pulumirpc.ResourceProvider/"


@dataclass
class Commands(grpc.GenericRpcHandler):  # type: ignore[misc]  # its base class has no types
    """The commands that the engine created, updated or deleted since the last `taken`: operation, type and name."""

    plugin: Any
    done: list[tuple[str, str, str]] = field(default_factory=list)

    def service(self, handler_call_details: Any) -> Any:
        """Return the function that answers a call: the simulated machine's, or the plugin's."""
        name = handler_call_details.method.removeprefix(SERVICE)
        forward = self.plugin.unary_unary(handler_call_details.method)
        simulated: dict[str, Callable[[bytes], bytes | None]] = {
            "Create": self._create,
            "Update": self._update,
            "Delete": self._delete,
        }

        def respond(request: bytes, context: Any) -> bytes:
            answer = simulated[name](request) if name in simulated else None
            try:
                return answer if answer is not None else bytes(forward(request))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(respond)

    def taken(self) -> list[tuple[str, str, str]]:
        """Return what was done since the last call, sorted."""
        done, self.done = self.done, []
        return sorted(done)

    def _create(self, data: bytes) -> bytes | None:
        asked = provider_pb2.CreateRequest.FromString(data)
        if asked.preview:
            return None
        self._note("create", asked.urn)
        response = provider_pb2.CreateResponse(id="a command", properties=asked.properties)
        response.properties.update({"stdout": "ready", "stderr": ""})
        return bytes(response.SerializeToString())

    def _update(self, data: bytes) -> bytes | None:
        asked = provider_pb2.UpdateRequest.FromString(data)
        if asked.preview:
            return None
        self._note("update", asked.urn)
        response = provider_pb2.UpdateResponse(properties=asked.news)
        response.properties.update({"stdout": "ready", "stderr": ""})
        return bytes(response.SerializeToString())

    def _delete(self, data: bytes) -> bytes | None:
        self._note("delete", provider_pb2.DeleteRequest.FromString(data).urn)
        return bytes(empty_pb2.Empty().SerializeToString())

    def _note(self, operation: str, urn: str) -> None:
        self.done.append((operation, type_of(urn), name_of(urn)))


@contextmanager
def played() -> Iterator[tuple[Commands, dict[str, str]]]:
    """Record the commands of a test; yields the variables that make the engine use this record."""
    program = home() / "plugins" / f"resource-command-v{version('pulumi_command')}" / "pulumi-resource-command"
    # The address of an engine: the plugin only sends its log there.
    command = [str(program), "127.0.0.1:1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        server = grpc.server(ThreadPoolExecutor(16))
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as plugin:
                commands = Commands(plugin)
                server.add_generic_rpc_handlers([commands])
                mine = server.add_insecure_port("127.0.0.1:0")
                server.start()
                yield commands, {"PULUMI_DEBUG_PROVIDERS": f"command:{mine}"}
        finally:
            server.stop(None).wait()
            process.terminate()
