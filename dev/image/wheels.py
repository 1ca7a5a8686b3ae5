"""Python packages for the guest: zeroc-ice built from source once, everything else fetched by pip on the host.

zeroc-ice 3.6.5 is the Ice of OMERO 5.6 and PyPI has it as source only. For Python 3.11 it needs two changes:
`eval.h` no longer exists (an empty one will do) and the current frame is no longer a field of PyThreadState.
"""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from dev.image.cache import BuildError, build_once, cache_root, key_of
from dev.image.progress import run, say

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ICE_VERSION = "3.6.5"
ICE_SHA256 = "4235ffeb605bcd4e22e716577f7d61e4aa1bc82f65276bb542701a81b7933356"
SETUPTOOLS = "setuptools==80.9.0"
# The guest runs Debian 12's own Python 3.11, so the wheels are made and chosen for that one.
PYTHON = Path("/usr/bin/python3.11")
LOCKS = (ROOT / "cloudinit/web/requirements.lock", ROOT / "dev/demo/requirements.lock")


def ice_wheel() -> Path:
    """Folder with the zeroc-ice wheel; built first where it is not cached (45 seconds of two cores)."""
    key = key_of([Path(__file__), HERE / "threaded_setup.py"], ICE_VERSION, SETUPTOOLS)
    return build_once(cache_root() / "wheels" / f"ice-{key}", _build_ice)


def wheelhouse() -> Path:
    """Folder with every wheel of the lock files, checked against their hashes, without zeroc-ice."""
    return build_once(cache_root() / "wheels" / f"house-{key_of(LOCKS)}", _fetch)


def _fetch(folder: Path) -> None:
    log = folder.with_suffix(".log")
    for lock in LOCKS:
        name = lock.parent.name
        command: list[str | Path] = [PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "--require-hashes"]
        run(f"fetching the wheels of {name}", [*command, "-w", folder, "-r", lock], log)


def _build_ice(folder: Path) -> None:
    work = folder / "work"
    log = folder.with_suffix(".log")
    env = dict(os.environ)
    # Letting pip fetch the source keeps the machine's own index settings; it also builds the metadata.
    fetch: list[str | Path] = ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", work]
    run("fetching the source of zeroc-ice", [PYTHON, *fetch, f"zeroc-ice=={ICE_VERSION}"], log)
    archive = work / f"zeroc-ice-{ICE_VERSION}.tar.gz"
    if hashlib.sha256(archive.read_bytes()).hexdigest() != ICE_SHA256:
        raise BuildError(f"{archive.name} is not the file this project was written for (SHA-256 differs)")
    with tarfile.open(archive) as tar:
        tar.extractall(work, filter="data")
    source = work / f"zeroc-ice-{ICE_VERSION}"
    _adapt_to_python_3_11(source)
    run("making a build environment", [PYTHON, "-m", "venv", work / "venv"], log)
    python = work / "venv/bin/python"
    run("installing setuptools in it", [python, "-m", "pip", "install", "-q", SETUPTOOLS], log)
    # Calls over the network do not notice that the code is not optimized. setuptools passes CXXFLAGS, not CFLAGS, to
    # the compiler of C++.
    stub = source / "stub"
    env |= {"CXXFLAGS": f"-O0 -g0 -I{stub} -include {stub}/headers.hpp", "CFLAGS": "-O0 -g0", "LDFLAGS": "-s"}
    build: list[str | Path] = [python, HERE / "threaded_setup.py", "-q", "bdist_wheel", "-d", folder]
    run("compiling zeroc-ice (once; minutes)", build, log, env, source)
    shutil.rmtree(work)
    say(f"zeroc-ice is in {next(folder.glob('*.whl')).name}")


def _adapt_to_python_3_11(source: Path) -> None:
    (source / "stub").mkdir()
    (source / "stub/eval.h").touch()
    headers = ("Python.h", "Ice/Ice.h", "IceUtil/IceUtil.h")
    (source / "stub/headers.hpp").write_text("".join(f"#include <{header}>\n" for header in headers))
    utilities = source / "src/Util.cpp"
    text = utilities.read_text()
    before, after = "PyThreadState_GET()->frame;", "PyEval_GetFrame();"
    if text.count(before) != 1:
        raise BuildError("zeroc-ice: src/Util.cpp is not as expected, the change for Python 3.11 does not apply")
    utilities.write_text(text.replace(before, after))
