"""The language host starts without the SDK and other slow modules: the engine waits for it, twice for each command."""

import subprocess
import sys
from importlib.metadata import version

from harness.stacks import ROOT

SLOW = ("pulumi.log", "pulumi.runtime.proto.language_pb2", "importlib.metadata")
SHOW = f"""
import sys
import languagehost.serve
print(*(name for name in {SLOW} if name in sys.modules))
print(languagehost.serve.sdk_version())
"""
PROGRAM = """
import gc
import sys
from languagehost import program
program.main = lambda: print(gc.get_threshold()[0])
sys.argv[1:] = ["--program"]
import language_host
language_host.main()
"""


def run(text: str) -> list[str]:
    folder = ROOT / "dev" / "toolchain" / "language"
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_host_imports_the_messages_alone_and_knows_the_sdks_version() -> None:
    assert run(SHOW) == ["pulumi.runtime.proto.language_pb2", version("pulumi")]


def test_a_program_seldom_looks_for_garbage() -> None:
    assert int(run(PROGRAM)[0]) >= 100_000
