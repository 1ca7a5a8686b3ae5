"""Runs one Pulumi program, as its own process, so that a preview and the update after it share no state."""

import asyncio
import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pulumi
from pulumi.runtime import reset_options, run_in_stack, set_all_config

from languagehost import RUN_REPORTED

GOING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def traceback_of_program(error: BaseException, directory: str) -> str:
    """Return the traceback without frames of this host and of installed packages."""
    text = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    part: traceback.TracebackException | None = text
    while part and id(part) not in seen:
        seen.add(id(part))
        part.stack = traceback.StackSummary.from_list(
            [f for f in part.stack if f.filename.startswith(directory) and "site-packages" not in f.filename]
        )
        part = part.__cause__ or part.__context__
    return "".join(text.format())


def report(error: BaseException, directory: str) -> int:
    """Tell the engine what went wrong, if it does not know yet; return the exit status."""
    if isinstance(error, SystemExit):
        if isinstance(error.code, str):
            pulumi.log.error(error.code)
            return RUN_REPORTED
        return error.code or 0
    if isinstance(error, pulumi.RunError):  # the program's own words to its user
        pulumi.log.error(str(error))
    elif isinstance(error, grpc.RpcError):
        # Pulumi's calls fail like this when the engine goes away or has itself reported the resource's error.
        if error.code() not in GOING:
            pulumi.log.error(f"{error.details()}\n{traceback_of_program(error, directory)}")
    elif not isinstance(error.__cause__, grpc.RpcError) and "resource monitor shut down" not in str(error).lower():
        pulumi.log.error("the program failed:\n" + traceback_of_program(error, directory))
    return RUN_REPORTED


def run(program: Callable[[], None], directory: str, threads: int) -> int:
    """Run a program until all its outputs are settled; return the exit status."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=threads))
    loop.set_exception_handler(lambda _loop, _context: None)  # awaited errors are reported below, once
    try:
        loop.run_until_complete(run_in_stack(program))
    except BaseException as error:  # noqa: BLE001  # whatever a program raises is reported, not propagated
        return report(error, directory)
    return 0


def main() -> None:
    """Read the job from standard input, run it and end the process."""
    # Ctrl-C reaches the whole process group. The engine ends a program itself, by its monitor or by this host.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    text = sys.stdin.read()
    if not text:  # the host went without a job
        os._exit(0)
    job: dict[str, Any] = json.loads(text)
    directory: str = job["directory"]
    reset_options(**job["options"])
    set_all_config(job["config"], job["secrets"])
    os.chdir(job["cwd"])
    sys.path[0] = directory
    sys.argv = [directory, *job["args"]]

    def program() -> None:
        runpy.run_path(directory, run_name="__main__")

    status = run(program, directory, max(job["options"]["parallel"], 1) * 4)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads of the program or of gRPC do not hold the update
