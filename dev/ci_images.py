"""Pin the container images of CI: `python -m dev.ci_images` asks the registry for the current digest of each tag.

A tag can point to another image tomorrow. The digest is written after the tag, so that the name stays readable. With
`--check`, print a warning for each image that has only a tag, and send no request.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGE: Final = re.compile(
    r"^(?P<key>\s*(?:container|image): )(?P<name>[\w./-]+:[\w.-]+)(?P<digest>@sha256:[0-9a-f]{64})?$", re.MULTILINE
)


def files() -> list[Path]:
    """Return the files that contain the images of CI."""
    return [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / ".gitlab-ci.yml"]


def pinned(text: str, digest: Callable[[str], str]) -> str:
    """Return a workflow's text with the digests that `digest` returns for its images."""
    return IMAGE.sub(lambda image: f"{image['key']}{image['name']}@{digest(image['name'])}", text)


def tagged(text: str) -> list[str]:
    """Return the images of a workflow that have no digest."""
    return [image["name"] for image in IMAGE.finditer(text) if not image["digest"]]


def warnings() -> list[str]:
    """Return a line for each image that has only a tag; on GitHub it becomes an annotation of the file."""
    images = [(str(file.relative_to(ROOT)), name) for file in files() for name in tagged(file.read_text())]
    begin = "::warning file={}::" if "GITHUB_ACTIONS" in os.environ else "warning: {}: "
    return [f"{begin.format(file)}{name} has no digest, so it may change: run make renew" for file, name in images]


def ask(name: str) -> str:
    """Return the digest of a tag from its registry: that of the index of the images for all processors."""
    command = ["skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}", f"docker://{name}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", answer):
        msg = f"skopeo gives no digest for {name}: {answer[:80]}"
        raise ValueError(msg)
    return answer


def main(arguments: list[str]) -> None:
    """Print warnings for images without a digest, or write digests into the files."""
    if arguments == ["--check"]:
        sys.stdout.writelines(f"{line}\n" for line in warnings())
        return
    for file in files():
        file.write_text(pinned(file.read_text(), ask))


if __name__ == "__main__":
    main(sys.argv[1:])
