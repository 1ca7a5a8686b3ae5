"""Templates print only what their role's context has, by name and type, also where no stack renders them."""

from pathlib import Path
from typing import Any, get_type_hints

import pytest
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from cloudinit import render, templates
from cloudinit.contexts import CONTEXTS, Common, context_of
from model import site_files
from model.role_description import FOLDER
from model.roles import DESCRIPTIONS
from model.site_files import FileEntry
from tests import site_roles
from tests.templates import Checker, element

SITE = site_roles.example_roles()
EXAMPLE = SITE[site_roles.ROLE]
ROLES: dict[str, Path] = {role: render._folder(role) for role in (*DESCRIPTIONS, *SITE.values())}


def names(role: str) -> dict[str, Any]:
    """Return the names that the templates of a role can use, with their types."""
    context = context_of(role)
    return get_type_hints(Common) | (get_type_hints(context) if context else {})


def texts(role: str) -> dict[str, tuple[str, FileEntry]]:
    """Return the templates of a role by a readable name: its files, and paths and modes that vary."""
    folder = ROLES[role]
    by_path: dict[str, tuple[str, FileEntry]] = {}
    for path, entry in site_files.read(folder / site_files.NAME).items():
        source = site_files.source_of(folder, path, entry)
        by_path[f"{role}: {path}: path"] = path, entry
        by_path[f"{role}: {path}: mode"] = entry.mode, entry
        if source and source.suffix == ".j2":
            by_path[f"{role}: {path}"] = source.read_text(), entry
    return by_path


def mistakes(text: str, known: dict[str, Any], roles: Path = FOLDER) -> list[str]:
    return Checker(templates.environment(roles)).template(text, known)


@pytest.mark.parametrize("role", ROLES)
def test_templates_use_what_their_context_has(role: str) -> None:
    known = names(role)
    for where, (text, entry) in texts(role).items():
        item = {"item": element(known[entry.each])} if entry.each else {}
        assert mistakes(text, known | item, ROLES[role].parent) == [], where


CALCULATES = (nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)
DECIDES = {"abs", "default", "d", "float", "int", "max", "min", "round", "sum"}


def decisions(tree: nodes.Template) -> list[int]:
    """Return the lines in which a template calculates, takes a default, or compares with a number."""
    numbers = (
        compared.lineno
        for compared in tree.find_all(nodes.Compare)
        for one in compared.ops
        if isinstance(one.expr, nodes.Const) and type(one.expr.value) in (int, float)
    )
    return [
        *(node.lineno for node in tree.find_all(CALCULATES)),
        *(one.lineno for one in tree.find_all(nodes.Filter) if one.name in DECIDES),
        *numbers,
    ]


def test_no_template_of_the_program_decides_a_number() -> None:
    parse = templates.environment(FOLDER).parse
    files = {file: parse(file.read_text()) for pattern in ("*.j2", "files.yaml") for file in FOLDER.rglob(pattern)}
    assert {file: found for file, tree in files.items() if (found := decisions(tree))} == {}


@pytest.mark.parametrize("text", ["{{ heap // 4 }}", "{{ heap | default(4) }}", "{% if heap > 4 %}{% endif %}"])
def test_a_template_that_decides_is_found(text: str) -> None:
    assert decisions(templates.environment(FOLDER).parse(text)) == [1]


def test_every_value_of_a_context_is_used() -> None:
    """A field that no template prints is left from an earlier template."""
    parse = templates.environment(FOLDER).parse
    files = [file for pattern in ("*.j2", "files.yaml") for file in FOLDER.rglob(pattern)]
    used: set[str] = set().union(*(find_undeclared_variables(parse(file.read_text())) for file in files))
    used |= {entry.each for role in ROLES for _, entry in texts(role).values() if entry.each}
    fields = {name for context in (Common, *CONTEXTS.values()) for name in get_type_hints(context)}
    assert fields - used == set()


@pytest.mark.parametrize(
    ("role", "text", "mistake"),
    [
        ("redis", "{{ pasword }}", "'pasword' is undefined"),
        ("redis", "{{ connections }}", "'connections' is undefined"),
        ("database", "{% if node.zone %}{{ node.adress }}{% endif %}", "Node has no 'adress'"),
        ("database", "{% for one in omero_servers %}{{ one.flavor.memory }}{% endfor %}", "Flavor has no 'memory'"),
        ("proxy", "{% if acme %}{{ acme.mail | shell }}{% endif %}", "Acme has no 'mail'"),
        ("proxy", "{% for one in limits.hops if one.audiense %}{% endfor %}", "Hop has no 'audiense'"),
        ("proxy", "{% for key, one in known_arguments.items() %}{{ one.upwards }}{% endfor %}", "str has no 'upwards'"),
        ("proxy", "{% macro one(x) %}{{ x.anything }}{{ acmee }}{% endmacro %}", "'acmee' is undefined"),
        ("proxy", '{% include "proxy/locations.conf.j2" %}', "'shared' is undefined"),
        ("omero-downloads", "{% for n, a in archives.items() %}{{ a.sha }}{% endfor %}", "Download has no 'sha'"),
        ("common", "{{ 'a' if proxies.https else 'b' }}", "Proxies has no 'https'"),
        (EXAMPLE, '{% for one in release.with_role("web") %}{{ one.adress }}{% endfor %}', "Node has no 'adress'"),
    ],
)
def test_a_misspelt_name_is_seen_also_where_it_is_not_rendered(role: str, text: str, mistake: str) -> None:
    assert mistake in mistakes(text, names(role))
