"""Judge a change with the default branch's program, which the change cannot weaken. For CI.

`python -m idr.review.judge PREVIEWS COMMIT COMMENTS`, in a checkout of the default branch. PREVIEWS holds STACK.json of
each stack, which the change's own program wrote. It is data: no name in it becomes a path, and no link is followed.
Writes one comment for each stack to COMMENTS, and prints the verdict as JSON.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from idr import checkout
from idr.review import preview, render, rules
from idr.review.affected import changed_paths, shared_stacks, stacks_touched
from idr.review.rules import Breach, Change
from idr.review.summary import summarize
from model import yaml_text

REVIEW_CHANGED = "review-changed"
# Paths of the program that judges a change, and that makes the preview.
GUARDS = (
    ".github/*",
    ".gitlab-ci.yml",
    "Makefile",
    "Pulumi.yaml",
    "cloudinit/disclosure.py",
    "components/disclosure.py",
    "dev/toolchain/*",
    "idr/resources.py",
    "idr/review/*",
    "requirements-dev.lock",
)


class State(StrEnum):
    """Whether a change may be merged. A `BROKEN` change may be merged once somebody lifts the guard rails."""

    SUCCESS = "success"
    BROKEN = "broken"
    FAILED = "failed"


@dataclass(frozen=True)
class Judgement:
    """The result for one stack, or for the change itself: its comment, and the names of the rules it breaks."""

    name: str
    state: State
    comment: str
    broken: tuple[str, ...] = ()


def of_paths(paths: Iterable[str]) -> Judgement | None:
    """Judge a change of the review itself; None if the change does not affect it."""
    touched = [path for path in paths if any(fnmatch(path, pattern) for pattern in GUARDS)]
    if not touched:
        return None
    texts = [f"{path} takes part in reviews; previews of this change say what it makes them say" for path in touched]
    breaches = tuple(Breach(REVIEW_CHANGED, text, allowed=False) for text in texts)
    return Judgement(render.CHANGE, State.BROKEN, render.of_change(breaches), (REVIEW_CHANGED,))


def of_stack(stack: str, text: str | None, stack_file: dict[str, Any] | None) -> Judgement:
    """Judge a stack's preview. Nobody can lift a missing, unreadable or failed preview."""
    try:
        shown = preview.read(text or "")
    except preview.PreviewError:
        comment = f"{render.marker(stack)}\n### Stack `{stack}`: there is no preview\n"
        return Judgement(stack, State.FAILED, comment)
    breaches = rules.check(Change(shown, stack_file))
    broken = tuple(dict.fromkeys(breach.rule for breach in breaches))
    state = State.FAILED if shown.errors else State.BROKEN if broken else State.SUCCESS
    return Judgement(stack, state, render.markdown(summarize(shown, stack), breaches), broken)


def verdict(results: Iterable[Judgement]) -> dict[str, str]:
    """Return the worst state, with a description of at most 140 characters, for GitHub's statuses."""
    judgements = list(results)
    broken = ", ".join(dict.fromkeys(rule for one in judgements for rule in one.broken))
    failed = ", ".join(one.name for one in judgements if one.state == State.FAILED)
    if failed:
        return {"state": State.FAILED, "description": f"no preview of {failed} that could be judged"[:140]}
    if broken:
        return {"state": State.BROKEN, "description": f"breaks {broken}"[:140]}
    return {"state": State.SUCCESS, "description": "no guard rail is broken"}


def read_preview(folder: Path, stack: str) -> str | None:
    """Read the text of a stack's preview; None if it does not exist or is a link."""
    file = folder / f"{stack}.json"
    if folder.is_symlink() or file.is_symlink() or not file.is_file():
        return None
    return file.read_text(errors="replace")


def read_stack_file(commit: str, stack: str) -> dict[str, Any] | None:
    """Read the stack file of a commit; None if it has none that can be read."""
    command = ["git", "show", f"{commit}:Pulumi.{stack}.yaml"]
    done = subprocess.run(command, cwd=checkout.folder(), capture_output=True, check=False)
    try:
        document = yaml_text.load(done.stdout)
    except yaml_text.YamlError:
        return None
    return document if isinstance(document, dict) else None


def main(previews: Path, commit: str, comments: Path) -> None:
    """Judge what a commit changes since it left the branch that is checked out."""
    paths = changed_paths("HEAD", commit)
    touched = stacks_touched(paths, shared_stacks())
    stacks = [of_stack(stack, read_preview(previews, stack), read_stack_file(commit, stack)) for stack in touched]
    judgements = [one for one in (of_paths(paths), *stacks) if one]
    comments.mkdir(parents=True)
    for one in judgements:
        (comments / f"{one.name}.md").write_text(one.comment)
    print(json.dumps(verdict(judgements)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
