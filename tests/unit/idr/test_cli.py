"""Common behaviour of all commands: help, exit status, errors."""

import tomllib
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from harness.stacks import ROOT
from idr import checkout, cli
from idr.__main__ import COMMANDS, app
from idr.errors import IdrError

runner = CliRunner()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = runner.invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output


@pytest.mark.parametrize("command", [["recover"], ["storage", "report"]])
def test_only_the_last_line_of_a_paragraph_of_the_help_is_short(command: list[str]) -> None:
    about = runner.invoke(app, [*command, "--help"]).stdout.partition("Options")[0].splitlines()
    lines = [line.strip() for line in about[3:-1]]
    for line, following in pairwise(lines):
        assert not (line and following) or len(f"{line} {following.split()[0]}") > 78
    assert len([line for line in lines if len(line) > 60]) >= 3


def test_the_help_names_every_command() -> None:
    lines = runner.invoke(app, ["--help"]).stdout.partition("Commands")[2].splitlines()
    assert {word for line in lines for word in line.strip("│ ").split()[:1]} >= set(COMMANDS)


def test_the_version_is_that_of_the_checkout() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    done = runner.invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"idr {project['version']}\n")


def fail() -> None:
    msg = "no such node: x"
    raise IdrError(msg)


def test_an_error_is_one_line_on_standard_error_and_exit_status_1() -> None:
    done = runner.invoke(cli.application({"fail": f"{__name__}:fail"}), ["fail"])
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "error: no such node: x\n")


def test_wrong_usage_is_exit_status_2() -> None:
    assert runner.invoke(app, ["recover", "--no-such-option"]).exit_code == 2
    done = runner.invoke(app, ["inventori"])
    assert (done.exit_code, "Did you mean 'inventory'?" in done.stderr) == (2, True)


def test_stacks_are_completed_from_the_files_of_the_project() -> None:
    assert {"ebi", "uod"} <= set(checkout.stack_names())


def completed(shell_words: str) -> list[str]:
    """Return a shell's suggestions for a line whose last word is incomplete."""
    words = {"COMP_WORDS": shell_words, "COMP_CWORD": str(len(shell_words.split()) - 1)}
    done = runner.invoke(app, [], prog_name="idr", env={"_IDR_COMPLETE": "complete_bash", **words})
    return done.stdout.split()


def test_stacks_nodes_and_guard_rails_are_completed() -> None:
    assert completed("idr status --stack e") == ["ebi"]
    assert completed("idr ssh --stack ebi prod130-d") == ["prod130-database"]
    assert completed("idr apply --stack ebi prod130-d") == ["prod130-database"]
    assert completed("idr review --allow world") == ["world-open-port"]
