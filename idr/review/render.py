"""A review as text for a terminal, as Markdown for a comment, and as data."""

from itertools import groupby
from typing import Any

from idr.review.rules import Breach
from idr.review.summary import Summary, Topic

CHANGE = "the change"
"""Used instead of a stack's name for the change itself; no stack's name has a space."""


def text(summary: Summary, breaches: tuple[Breach, ...]) -> str:
    """Format the review for a terminal."""
    lines = [
        f"{summary.stack}: {_counts(summary)}",
        *(f"{'allowed' if breach.allowed else 'FAIL'} {breach.rule}: {breach.text}" for breach in breaches),
    ]
    for topic, group in groupby(summary.lines, key=lambda line: line.topic):
        lines += [f"{topic}:", *(f"  - {line.text}" for line in group)]
    return "\n".join(lines) + "\n"


def markdown(summary: Summary, breaches: tuple[Breach, ...]) -> str:
    """Format the review as a comment on a change. By its first line the next run finds and updates it."""
    lines = [marker(summary.stack), f"### Stack `{summary.stack}`: {_counts(summary)}", ""]
    lines += _breaches(breaches)
    for topic, group in groupby(summary.lines, key=lambda line: line.topic):
        lines += ["", f"**{topic}**", "", *(f"- {_escaped(line.text)}" for line in group)]
    return "\n".join(lines).rstrip() + "\n"


def of_change(breaches: tuple[Breach, ...]) -> str:
    """Format a comment on a change of the review itself, for all stacks."""
    return "\n".join([marker(CHANGE), "### The change itself", "", *_breaches(breaches)]) + "\n"


def marker(stack: str) -> str:
    """Return the first line of a stack's comment."""
    return f"<!-- idr review {stack} -->"


def data(summary: Summary, breaches: tuple[Breach, ...]) -> dict[str, Any]:
    """Return the review as data for programs."""
    return {
        "stack": summary.stack,
        "counts": summary.counts,
        "breaches": [{"rule": b.rule, "text": b.text, "allowed": b.allowed} for b in breaches],
        "lines": [{"topic": line.topic.name.lower(), "text": line.text} for line in summary.lines],
    }


def _breaches(breaches: tuple[Breach, ...]) -> list[str]:
    return [
        f"- {'lifted by name' if breach.allowed else '**FAILS**'} `{breach.rule}`: {_escaped(breach.text)}"
        for breach in breaches
    ]


def _counts(summary: Summary) -> str:
    if any(line.topic == Topic.ERROR for line in summary.lines):
        # A failed preview is incomplete, so it is no statement about the update.
        return "the preview fails"
    changed = [f"{number} {kind}" for kind, number in summary.counts.items() if number and kind != "same"]
    return ", ".join(changed) if changed else "nothing changes"


def _escaped(line: str) -> str:
    """Escape a name in the cloud, so that it contains no Markdown and mentions nobody."""
    return line.replace("<", "&lt;").replace("@", "@\u200b").replace("`", "'")
