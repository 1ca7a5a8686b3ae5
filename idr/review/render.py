"""A review as text for a terminal, as Markdown for a comment, and as data."""

from itertools import groupby
from typing import Any

from idr.review.rules import Breach
from idr.review.summary import Summary, Topic

CHANGE = "the change"
"""Replaces a stack's name where the change itself is meant; no stack's name has a space."""


def text(summary: Summary, breaches: tuple[Breach, ...]) -> str:
    """For a terminal."""
    lines = [
        f"{summary.stack}: {_counts(summary)}",
        *(f"{'allowed' if breach.allowed else 'FAIL'} {breach.rule}: {breach.text}" for breach in breaches),
    ]
    for topic, group in groupby(summary.lines, key=lambda line: line.topic):
        lines += [f"{topic}:", *(f"  - {line.text}" for line in group)]
    return "\n".join(lines) + "\n"


def markdown(summary: Summary, breaches: tuple[Breach, ...]) -> str:
    """For a comment on a change. Its first line is how the next run finds it, to update it."""
    lines = [marker(summary.stack), f"### Stack `{summary.stack}`: {_counts(summary)}", ""]
    lines += _breaches(breaches)
    for topic, group in groupby(summary.lines, key=lambda line: line.topic):
        lines += ["", f"**{topic}**", "", *(f"- {_escaped(line.text)}" for line in group)]
    return "\n".join(lines).rstrip() + "\n"


def of_change(breaches: tuple[Breach, ...]) -> str:
    """For a comment on what a change does to its own review, whatever the stack."""
    return "\n".join([marker(CHANGE), "### The change itself", "", *_breaches(breaches)]) + "\n"


def marker(stack: str) -> str:
    """The line that a stack's comment begins with."""
    return f"<!-- idr review {stack} -->"


def data(summary: Summary, breaches: tuple[Breach, ...]) -> dict[str, Any]:
    """For programs."""
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
        # A failed preview is incomplete, so it says nothing about the update.
        return "the preview fails"
    changed = [f"{number} {kind}" for kind, number in summary.counts.items() if number and kind != "same"]
    return ", ".join(changed) if changed else "nothing changes"


def _escaped(line: str) -> str:
    """Escape a name in the cloud, so that it is no Markdown and mentions nobody."""
    return line.replace("<", "&lt;").replace("@", "@\u200b").replace("`", "'")
