"""The language host starts without the SDK: the engine waits for it, twice for each command."""

import subprocess
import sys

from harness.stacks import ROOT

SHOW = """
import sys
import languagehost.serve
print(*(name for name in ("pulumi.log", "pulumi.runtime.proto.language_pb2") if name in sys.modules))
"""


def test_the_host_imports_the_messages_alone() -> None:
    folder = ROOT / "dev" / "toolchain" / "language"
    done = subprocess.run([sys.executable, "-c", SHOW], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["pulumi.runtime.proto.language_pb2"], done.stderr
