"""Find the stacks that a change may affect, from its changed paths. As a program: two commits in, JSON out.

`python -m idr.review.affected main HEAD`
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable
from fnmatch import fnmatch

from idr import checkout
from model.reading import DEMO_STACK

# The engine, its plugins and the environment in which the program runs are installed from these.
DEPLOYS = ("dev/toolchain/*", "requirements-dev.lock")
# Paths that affect no stack. Every other path affects all stacks: a wrong guess costs only a preview.
APART = (
    ".ci/*",
    ".github/*",
    ".gitlab-ci.yml",
    ".gitignore",
    ".yamllint",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "bench/*",
    "dev/*",
    "docs/*",
    "harness/*",
    "pyproject.toml",
    "requirements-dev.in",
    "tests/*",
)


def stacks_touched(paths: Iterable[str], stacks: Collection[str]) -> list[str]:
    """Return the stacks whose preview may change with the files `paths` (relative to the project)."""
    touched: set[str] = set()
    files = {f"Pulumi.{stack}.yaml": stack for stack in stacks}
    for path in paths:
        if path in files:
            touched.add(files[path])
        elif not _is_apart(path):
            touched.update(stacks)
    return sorted(touched)


def _is_apart(path: str) -> bool:
    if any(fnmatch(path, pattern) for pattern in DEPLOYS):
        return False
    is_file_of_another_stack = fnmatch(path, "Pulumi.*.yaml") and "/" not in path
    return is_file_of_another_stack or any(fnmatch(path, pattern) for pattern in APART)


def shared_stacks() -> list[str]:
    """Return every stack with a file in the repository. `local` has none, because its state is on one machine."""
    return [name for name in checkout.stack_names() if name != DEMO_STACK]


def changed_paths(base: str, commit: str) -> list[str]:
    """Return the paths that a commit changes since it left `base`. Raises CalledProcessError for an unknown commit.

    A moved file has both its paths: the old one may be deployed.
    """
    command = ["git", "diff", "--name-only", "--no-renames", "-z", f"{base}...{commit}", "--"]
    done = subprocess.run(command, cwd=checkout.folder(), capture_output=True, text=True, check=True)
    return [path for path in done.stdout.split("\0") if path]


if __name__ == "__main__":
    print(json.dumps(stacks_touched(changed_paths(*sys.argv[1:]), shared_stacks())))
