"""Commands, options, make targets, settings and files in the documentation exist."""

import re
import shlex
import uuid
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

from harness.stacks import ROOT, STACK_FILES
from idr.__main__ import app
from idr.review import rules
from idr.review.interruptions import EFFECTS
from model.reading import SettingsError, Source, parse
from model.roles import Role
from tests import docs
from tests.docs import Block

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCKS = [block for file in docs.FILES for block in docs.blocks(file)]
SETTINGS = [block for block in BLOCKS if block.action == "not run" and re.match("idr:.*:$", block.text, re.MULTILINE)]
OF_A_SITE = re.compile("there is no (file|folder) 'site/|must be one line of a public key file")
IDR_COMMAND = re.compile(r"(?:`|^ *)bin/idr (?!-)([^`\n]+)", re.MULTILINE)
MAKE_TARGET = re.compile(r"(?:`|^)make ([a-z-]+)", re.MULTILINE)


def idr_commands() -> list[tuple[str, str]]:
    """Return every call of `bin/idr` in the pages: the page, and the arguments."""
    return [(page.name, call) for page in PAGES for call in IDR_COMMAND.findall(page.read_text())]


@pytest.mark.parametrize(("page", "call"), idr_commands())
def test_a_command_that_is_written_about_exists_with_its_options(page: str, call: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    name, *arguments = shlex.split(call, comments=True)
    command = group.commands.get(name)
    assert command, f"{page}: idr {name}"
    if isinstance(command, TyperGroup):
        command = command.commands[arguments.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    before_remote = arguments[: arguments.index("--")] if "--" in arguments else arguments
    used = {argument.split("=")[0] for argument in before_remote if argument.startswith("-")}
    assert used <= known | {"--help"}, page


def test_commands_are_typed_for_another_stack() -> None:
    text = "export PULUMI_STACK=local\nbin/idr ssh demo1-proxy -s local\npulumi up --stack local\nls .local/state"
    assert docs.on_stack(text, "x").splitlines() == [
        "export PULUMI_STACK=x",
        "bin/idr ssh demo1-proxy -s x",
        "pulumi up --stack x",
        "ls .local/state",
    ]
    assert docs.on_stack("local: nothing changes", "x") == "x: nothing changes"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_make_target_that_is_written_about_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(MAKE_TARGET.findall(page.read_text())) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        name, _, heading = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name}: {target}"
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert heading in [re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings], target


def test_the_contents_of_the_guide_name_every_chapter() -> None:
    text = (ROOT / "docs" / "guide.md").read_text()
    contents = text.partition("\n## ")[0]
    assert sorted(re.findall(r"\[([^]]+)\]\(#", contents)) == sorted(re.findall("^## (.+)", text, re.MULTILINE))


def test_every_edit_of_the_guide_is_a_valid_stack_file() -> None:
    config = yaml.safe_load(STACK_FILES["local"].read_text())["config"]
    edits = [block for block in BLOCKS if block.action == "edit"]
    for block in edits:
        config = docs.edited(block, config, {"SNAPSHOT": str(uuid.UUID(int=1))})
        values = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
        parse(values, Source("local", str(block)))
    assert edits


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_settings_that_are_not_run_are_right_for_ebi(block: Block) -> None:
    config = docs.edited(block, yaml.safe_load(STACK_FILES["ebi"].read_text())["config"], {})
    values = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
    try:
        parse(values, Source("ebi", str(block)))
    except SettingsError as error:
        # Parts that a page abbreviates: a key as three dots, or files that `idr pin` or the site writes.
        faults = [line for line in str(error).splitlines() if not OF_A_SITE.search(line)]
        assert not faults


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.action == "not run"], ids=str)
def test_what_is_not_run_says_why(block: Block) -> None:
    assert len(block.note) > len("no cloud")


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the guide's table below a heading."""
    below = (ROOT / "docs" / "guide.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in below.splitlines() if line[:1] == "|"]


def test_the_seconds_of_a_replacement_are_those_that_a_review_says() -> None:
    documented = {name: (seconds, what) for name, seconds, what in rows("A new image for all nodes")[2:]}
    assert set(documented) == set(Role), "docs/guide.md, A new image for all nodes: a row for each role"
    for role, effect in EFFECTS.items():
        assert documented[role][0] == str(effect.replacement_seconds)
        assert documented[role][1].startswith(effect.what)


def test_no_command_in_the_documents_has_a_secret_among_its_arguments() -> None:
    """The process list shows command lines: `pulumi config set` reads a secret from standard input."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("Pulumi.*.yaml")]
    files += [*(ROOT / "examples").iterdir(), *(ROOT / "model").glob("*.py"), *(ROOT / "idr").rglob("*.py")]
    arguments = re.compile(r"config set (?:--path )?--secret (?:--path )?idr:[\w.]+ +([^\s|<`]+)")
    assert arguments.search('pulumi config set --secret idr:stackSecret "$(openssl rand -hex 32)"')
    options = {str(file.relative_to(ROOT)): arguments.findall(file.read_text()) for file in files if file.is_file()}
    assert {file: words for file, words in options.items() if words} == {}


def test_every_guard_rail_is_in_the_guide() -> None:
    assert [row[0] for row in rows("Review a change")[2:]] == list(rules.NAMES)


def test_a_block_that_says_not_what_is_done_with_it_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n```console\nmake up\n```\n")
    with pytest.raises(docs.DocsError, match=r"page\.md:3"):
        list(docs.blocks(page))
