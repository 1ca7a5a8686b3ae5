"""Answers the engine: which packages a program needs, and runs of programs."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2

from languagehost import RUN_REPORTED, Program, start_program
from languagehost.protocol import language_pb2 as messages
from languagehost.protocol import language_pb2_grpc, plugin_pb2

PARENT_POLL = 1.0
"""Seconds between looks at whether the engine still lives."""


class Programs:
    """The processes that run programs. One waits from the start with everything imported, which saves its start."""

    def __init__(self, waiting: Program) -> None:
        self._lock = threading.Lock()
        self._waiting: Program | None = waiting
        self._running = {waiting}

    def _start(self) -> Program:
        process = start_program()
        self._running.add(process)
        return process

    def run(self, job: dict[str, Any]) -> int:
        """Run a program to its end and return its exit status; negative: the signal that ended it."""
        with self._lock:
            process, self._waiting = self._waiting or self._start(), None
        process.communicate(json.dumps(job).encode())
        self._running.discard(process)
        return process.returncode

    def end(self) -> None:
        """End all programs."""
        for process in list(self._running):
            process.terminate()


def required_packages() -> Iterator[dict[str, str]]:
    """Yield name and version of each plugin that the installed packages name in their pulumi-plugin.json."""
    for file in (file for folder in sys.path for file in Path(folder).glob("*/pulumi-plugin.json")):
        about = json.loads(file.read_text())
        if about.get("resource"):
            yield {
                "kind": "resource",
                "name": about.get("name", file.parent.name.removeprefix("pulumi_")),
                "version": "v" + about.get("version", ""),
                "server": about.get("server", ""),
            }


def sdk_version() -> str:
    """Return the version of the SDK. `importlib.metadata` knows it too, and takes 20 ms to import, twice a command."""
    names = (folder.name for path in sys.path for folder in Path(path).glob("pulumi-[0-9]*.dist-info"))
    return next(names).removeprefix("pulumi-").removesuffix(".dist-info")


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The engine's LanguageRuntime service. Names and messages are those of pulumi's language.proto."""

    def __init__(self, engine: str, waiting: Program) -> None:
        self.programs = Programs(waiting)
        self.engine = engine
        self.ending = threading.Event()

    def Handshake(self, request: Any, _context: Any) -> Any:
        """Take the engine's address."""
        self.engine = request.engine_address or self.engine
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        """Return the version of the SDK that programs get."""
        return plugin_pb2.PluginInfo(version=sdk_version())

    def GetRequiredPackages(self, _request: Any, _context: Any) -> Any:
        """Return the plugins that the engine must have before the program runs."""
        response = messages.GetRequiredPackagesResponse()
        for package in required_packages():
            response.packages.add(**package)
        return response

    def GetProgramDependencies(self, _request: Any, _context: Any) -> Any:
        """Return all installed distributions."""
        from importlib.metadata import distributions

        found = [messages.DependencyInfo(name=d.metadata["Name"], version=d.version) for d in distributions()]
        return messages.GetProgramDependenciesResponse(dependencies=found)

    def About(self, _request: Any, _context: Any) -> Any:
        """Return the interpreter."""
        return messages.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def InstallDependencies(self, _request: Any, _context: Any) -> Any:
        """Install nothing: the project locks and installs its requirements itself."""
        return iter(())

    def RuntimeOptionsPrompts(self, _request: Any, _context: Any) -> Any:
        """Ask nothing."""
        return messages.RuntimeOptionsResponse()

    def Cancel(self, _request: Any, _context: Any) -> Any:
        """End running programs."""
        self.programs.end()
        return empty_pb2.Empty()

    def Run(self, request: Any, _context: Any) -> Any:
        """Run the program and say how it ended."""
        status = self.programs.run(self.job(request))
        if status == RUN_REPORTED or self.ending.is_set():
            return messages.RunResponse(bail=True)
        return messages.RunResponse(error=f"the program ended with exit status {status}" if status else "")

    def job(self, request: Any) -> dict[str, Any]:
        """Return what a program process needs to know, as JSON."""
        return {
            "directory": request.info.program_directory or request.pwd,
            "cwd": request.pwd or request.info.program_directory,
            "args": list(request.args),
            "config": dict(request.config),
            "secrets": list(request.configSecretKeys),
            "options": {
                "project": request.project,
                "stack": request.stack,
                "parallel": request.parallel,
                "root_directory": request.info.root_directory,
                "engine_address": self.engine,  # request.args does not hold it
                "monitor_address": request.monitor_address,
                "preview": request.dryRun,
                "organization": request.organization or "organization",
            },
        }


def watch(parent: int, ending: threading.Event) -> None:
    """Set `ending` when the engine is gone: one that was killed cannot end its plugins."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL)
    ending.set()


def main(waiting: Program) -> None:
    """Serve until the engine ends this process or goes away; `waiting` is the process of the first program."""
    parent = os.getppid()
    host = Host(next((argument for argument in sys.argv[1:] if not argument.startswith("-")), ""), waiting)
    # The engine ends a plugin by SIGINT and, seconds later, SIGKILL. Ignoring SIGINT costs those seconds in every run.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: host.ending.set())
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 400 * 2**20)])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    threading.Thread(target=watch, args=(parent, host.ending), daemon=True).start()
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    host.ending.wait()
    host.programs.end()
    server.stop(0.5).wait()
    os._exit(0)
