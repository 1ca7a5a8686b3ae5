"""Print release notes: `python -m dev.release TAG` prints the section of CHANGELOG.md for the tag's version.

Fails if tag, pyproject.toml and changelog do not have the same version, so that nothing is released under a wrong name.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class ReleaseError(Exception):
    """The tag cannot be released; the text says why."""


def version(pyproject: str) -> str:
    """Return the version in the text of pyproject.toml."""
    return str(tomllib.loads(pyproject)["project"]["version"])


def notes(tag: str, current: str, changelog: str) -> str:
    """Return the changelog's section for the version `current`, without its heading. Raises ReleaseError."""
    if tag != f"v{current}":
        msg = f"the tag is {tag}, and pyproject.toml has version {current}"
        raise ReleaseError(msg)
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE))
    for heading, text in sections.items():
        if re.fullmatch(rf"{re.escape(current)} \(\d{{4}}-\d\d-\d\d\)", heading):
            if not text.strip():
                msg = f"CHANGELOG.md says nothing under '## {heading}'"
                raise ReleaseError(msg)
            return f"{text.strip()}\n"
    msg = f"CHANGELOG.md has no section '## {current} (YYYY-MM-DD)'; it has: {', '.join(sections) or 'none'}"
    raise ReleaseError(msg)


def main(tag: str) -> int:
    """Print the notes; return the exit status."""
    current = version((ROOT / "pyproject.toml").read_text())
    try:
        sys.stdout.write(notes(tag, current, (ROOT / "CHANGELOG.md").read_text()))
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dev.release TAG")
    sys.exit(main(sys.argv[1]))
