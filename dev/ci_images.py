"""Name the container images of CI by digest: `python -m dev.ci_images` asks the registry what each tag is now.

A tag can be another image tomorrow. The digest is written after the tag, so that the name stays readable. With
`--check` it makes no request and warns of each image that has only a tag.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGE: Final = re.compile(
    r"^(?P<key>\s*(?:container|image): )(?P<name>[\w./-]+:[\w.-]+)(?P<digest>@sha256:[0-9a-f]{64})?$", re.M
)


def files() -> list[Path]:
    """The files that name the images of CI."""
    return [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / ".gitlab-ci.yml"]


def pinned(text: str, digest: Callable[[str], str]) -> str:
    """The text of a workflow whose images have the digests that `digest` gives for their names."""
    return IMAGE.sub(lambda image: f"{image['key']}{image['name']}@{digest(image['name'])}", text)


def tagged(text: str) -> list[str]:
    """The images of a workflow that have no digest."""
    return [image["name"] for image in IMAGE.finditer(text) if not image["digest"]]


def warnings() -> list[str]:
    """A line for each image that has only a tag; on GitHub it becomes a note at the file."""
    images = [(str(file.relative_to(ROOT)), name) for file in files() for name in tagged(file.read_text())]
    begin = "::warning file={}::" if "GITHUB_ACTIONS" in os.environ else "warning: {}: "
    return [f"{begin.format(file)}{name} may be another image tomorrow: make renew" for file, name in images]


def ask(name: str) -> str:
    """The digest of a tag, from its registry. It is that of the list of all processors' images."""
    command = ["skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}", f"docker://{name}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", answer):
        msg = f"skopeo gives no digest for {name}: {answer[:80]}"
        raise ValueError(msg)
    return answer


def main(arguments: list[str]) -> None:
    """Warn of images without a digest, or write digests into the files."""
    if arguments == ["--check"]:
        sys.stdout.writelines(f"{line}\n" for line in warnings())
        return
    for file in files():
        file.write_text(pinned(file.read_text(), ask))


if __name__ == "__main__":
    main(sys.argv[1:])
