"""Name the container images of CI by digest: `python -m dev.ci_images` asks the registry what each tag is now.

A tag can be another image tomorrow. A digest follows its tag, so that both the name and what runs can be read.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGE: Final = re.compile(
    r"^(?P<key>\s*(?:container|image): )(?P<name>[\w./-]+:[\w.-]+)(?P<digest>@sha256:[0-9a-f]{64})?$", re.M
)


def files() -> list[Path]:
    """Where the images of CI are named."""
    return [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / ".gitlab-ci.yml"]


def pinned(text: str, digest: Callable[[str], str]) -> str:
    """The text of a workflow whose images have the digests that `digest` gives for their names."""
    return IMAGE.sub(lambda found: f"{found['key']}{found['name']}@{digest(found['name'])}", text)


def ask(name: str) -> str:
    """The digest of a tag, from its registry. It is that of the list of all processors' images."""
    command = ["skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}", f"docker://{name}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", answer):
        msg = f"skopeo gives no digest for {name}: {answer[:80]}"
        raise ValueError(msg)
    return answer


if __name__ == "__main__":
    for file in files():
        file.write_text(pinned(file.read_text(), ask))
