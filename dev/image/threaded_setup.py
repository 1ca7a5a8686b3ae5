"""Run `setup.py` of the current directory with the compiler working on several files at once.

Used for zeroc-ice only: its extension is one module of 230 C++ files, and setuptools compiles the files
of one extension one after another (13 minutes of compiler time).
"""

import os
import runpy
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import setuptools  # noqa: F401  (installs its own distutils, which must come before the next import)

from distutils.ccompiler import CCompiler  # isort: skip

HEADER = Path("stub/headers.hpp")
"""The headers that nearly every file includes. Reading them is two thirds of the compiler's work."""


def compile_in_threads(
    self: Any,
    sources: list[str],
    output_dir: str | None = None,
    macros: list[Any] | None = None,
    include_dirs: list[str] | None = None,
    debug: bool = False,
    extra_preargs: list[str] | None = None,
    extra_postargs: list[str] | None = None,
    depends: list[str] | None = None,
) -> list[str]:
    """`CCompiler.compile` with the same arguments and result; one thread per processor."""
    _, objects, postargs, pp_options, build = self._setup_compile(
        output_dir, macros, include_dirs, sources, depends, extra_postargs
    )
    compile_one: Any = self._compile
    arguments = self._get_cc_args(pp_options, debug, extra_preargs)
    # gcc reads headers.hpp.gch where CXXFLAGS include headers.hpp.
    self.language_map[HEADER.suffix] = "c++"
    compile_one(f"{HEADER}.gch", str(HEADER), HEADER.suffix, arguments, postargs, pp_options)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [
            pool.submit(partial(compile_one, obj, *files, arguments, postargs, pp_options))
            for obj, files in build.items()
        ]
        for job in jobs:
            job.result()
    return list(objects)


if __name__ == "__main__":
    compiler: Any = CCompiler
    compiler.compile = compile_in_threads
    runpy.run_path("setup.py", run_name="__main__")
