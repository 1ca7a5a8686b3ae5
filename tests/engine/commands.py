"""The command provider's own plugin between the engine and machines that do not exist.

It checks and compares as always; what it would run on a machine is only written down, and succeeds.
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
    """What the engine had done to commands since the last look: operation, type and name."""

    plugin: Any
    done: list[tuple[str, str, str]] = field(default_factory=list)

    def service(self, handler_call_details: Any) -> Any:
        """What answers a call: a played machine, or the plugin."""
        name = handler_call_details.method.removeprefix(SERVICE)
        forward = self.plugin.unary_unary(handler_call_details.method)
        played: dict[str, Callable[[bytes], bytes | None]] = {
            "Create": self._create,
            "Update": self._update,
            "Delete": self._delete,
        }

        def answer(request: bytes, context: Any) -> bytes:
            answer_played = played[name](request) if name in played else None
            try:
                return answer_played if answer_played is not None else bytes(forward(request))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(answer)

    def taken(self) -> list[tuple[str, str, str]]:
        """What was done since the last look, sorted."""
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
    """The commands of a test, and the variables that make the engine use them."""
    program = home() / "plugins" / f"resource-command-v{version('pulumi_command')}" / "pulumi-resource-command"
    # The address of an engine, which it only tells what it logs.
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
