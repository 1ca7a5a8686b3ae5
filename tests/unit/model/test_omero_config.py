"""The stack file's settings of OMERO's own configuration, and how OMERO's command line reads them on a node."""

import json
import re
import shlex
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import rendered, stacks
from harness.stacks import ROOT
from model import omero_config
from model.field_types import SEALED
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, parse

WEB_KEYS = (ROOT / "tests" / "unit" / "model" / "web_keys.txt").read_text().splitlines()
"""The keys of OMERO.web and the applications beside it, by `python -m dev.web_keys`; also packages and versions."""
LOCK = (ROOT / "cloudinit" / "web" / "requirements.lock").read_text()
FILES = {"omero": "/opt/omero/server/config/idr.omero", "web": "/opt/omero/web/config/idr.omero"}
SECRETS = stacks.secrets_of("ebi")
SOURCE = Source("ebi", "Pulumi.ebi.yaml")
READER = "prod130-omeroreadonly-1"


def plan_with(program: str, config: dict[str, Any], stack: str = "ebi", **levels: dict[str, Any]) -> Plan:
    """Return the plan of a stack with keys of OMERO for the whole stack, a `release` and a `group` of the readers."""
    values = stacks.values(stack)
    values.setdefault(program, {})["config"] = config
    if "release" in levels:
        values["releases"]["prod130"][program] = {"config": levels["release"]}
    if "group" in levels:
        values["releases"]["prod130"]["nodes"]["omeroreadonly"][program] = {"config": levels["group"]}
    return plan(parse(values, Source(stack, f"Pulumi.{stack}.yaml")), stack)


def refusal(program: str, config: Any, stack: str = "ebi") -> str:
    """Return why a stack file with this configuration is refused."""
    with pytest.raises(SettingsError) as error:
        plan_with(program, config, stack)
    return str(error.value)


def on_node(stack_plan: Plan, program: str, name: str = READER) -> dict[str, str]:
    """Return the configuration of a program on a node, as its command line reads the file: the last of a key counts."""
    node = next(node for node in stack_plan.nodes if node.name == name)
    text = rendered.files(node, stack_plan, SECRETS)[FILES[program]]
    lines = (shlex.split(line) for line in text.splitlines() if not line.startswith("#"))
    return {words[-2]: words[-1] for words in lines if words[:2] == ["config", "set"]}


@pytest.mark.parametrize("program", FILES)
def test_a_stack_without_any_has_the_programs_own_alone(program: str) -> None:
    text = rendered.files(
        next(n for n in stacks.plan_of("ebi").nodes if n.name == READER), stacks.plan_of("ebi"), SECRETS
    )
    assert "Of the stack file's" not in text[FILES[program]]


def test_the_more_particular_one_counts() -> None:
    key = "omero.threads.min_threads"
    assert on_node(plan_with("omero", {key: 5}), "omero")[key] == "5"
    assert on_node(plan_with("omero", {key: 5}, release={key: 6}), "omero")[key] == "6"
    stack_plan = plan_with("omero", {key: 5}, release={key: 6}, group={key: 7})
    assert on_node(stack_plan, "omero")[key] == "7"
    assert on_node(stack_plan, "omero", "prod130-omeroreadwrite")[key] == "6"


def test_it_counts_over_what_the_program_sets() -> None:
    assert on_node(plan_with("web", {}), "web")["omero.web.search.default_user"] == "-1"
    assert (
        on_node(plan_with("web", {"omero.web.search.default_user": 3}), "web")["omero.web.search.default_user"] == "3"
    )


def test_nodes_without_the_program_are_as_before() -> None:
    before, after = stacks.plan_of("ebi"), plan_with("web", {"omero.web.page_size": 100})
    for old, new in zip(before.nodes, after.nodes, strict=True):
        assert (old == new) == ("web" not in old.roles), old.name


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40) | st.integers() | st.booleans())
def test_any_value_reaches_omeros_command_line_as_it_is(value: str | int | bool) -> None:
    stack_plan = plan_with("web", {"omero.web.top_logo_link": value})
    expected = value if isinstance(value, str) else json.dumps(value)
    assert on_node(stack_plan, "web")["omero.web.top_logo_link"] == expected


def test_lists_and_mappings_are_json_in_an_order_that_does_not_depend_on_the_reader() -> None:
    one, other = (
        {"omero.web.ui.top_links": [["Data", "webindex", about]]} for about in ({"b": 1, "a": 2}, {"a": 2, "b": 1})
    )
    text = on_node(plan_with("web", one), "web")["omero.web.ui.top_links"]
    assert json.loads(text) == one["omero.web.ui.top_links"]
    assert text == on_node(plan_with("web", other), "web")["omero.web.ui.top_links"]


@pytest.mark.parametrize(
    ("program", "key", "message"),
    [
        ("omero", "omero.db.pass", "is not for a stack file: the plan knows the database and its accounts"),
        ("omero", "omero.db.poolsize", "set omero.poolSize"),
        ("omero", "omero.cluster.read_only.db", "the role of the node decides"),
        ("omero", "omero.jvmcfg.heap_size.blitz", "set heapMib of the node"),
        ("omero", "omero.glacier2.IceSSL.Ciphers", "ports and encryption"),
        ("omero", "omero.web.page_size", "set it under web.config"),
        ("omero", "omero.db.host.blitz", "the plan knows the database and its accounts"),
        ("omero", "omero.master.host", "ports and encryption"),
        ("omero", "omero.thread.min_threads", "is no key of OMERO.server; did you mean 'omero.threads.min_threads'?"),
        ("omero", "omero.memory.limit", "is no key of OMERO.server (name it in omero.otherKeys if a jar"),
        ("omero", "omero.threads.min_threads.web", "is no key of OMERO.server"),
        ("web", "omero.web.public.password", "set publicPassword"),
        ("web", "omero.web.session_cookie_age", "sessions are in Redis"),
        ("web", "omero.web.middleware", "the program has its own there"),
        ("web", "page_size", "is no key of OMERO.web; did you mean 'omero.web.page_size'?"),
        ("web", "parade.run", "is no key of OMERO.web (one of an application of your own is in its own config)"),
        ("omero", "sessions.timeout", "is no key of OMERO.server; did you mean 'omero.sessions.timeout'?"),
        ("web", "omero.web.public.url_filter", "web.apps and web.siteApps open addresses"),
        ("web", "omero.web.pagesize", "is no key of OMERO.web; did you mean 'omero.web.page_size'?"),
        ("web", "omero.threads.min_threads", "is no key of OMERO.web"),
    ],
)
def test_a_key_that_is_not_for_a_stack_file_is_refused_by_name(program: str, key: str, message: str) -> None:
    text = refusal(program, {key: "1"})
    assert f"'{key}' " in text
    assert message in text


ZARR = "omero.pixeldata.zarr_cache_size"
"""A key of omero-zarr-pixel-buffer's (src/main/resources/blitz), which is a jar beside OMERO.server."""


@pytest.mark.parametrize("level", ["config", "release", "group"])
def test_a_key_of_a_jar_or_a_script_is_taken_where_the_stack_names_it(level: str) -> None:
    values = stacks.values("ebi")
    release = values["releases"]["prod130"]
    values["omero"] |= {"otherKeys": [ZARR]}
    scope = {"config": values, "release": release, "group": release["nodes"]["omeroreadonly"]}[level]
    scope.setdefault("omero", {})["config"] = {ZARR: 100}
    assert on_node(plan(parse(values, SOURCE), "ebi"), "omero")[ZARR] == "100"
    del values["omero"]["otherKeys"]
    with pytest.raises(SettingsError, match=f"'{ZARR}' is no key of OMERO.server .name it in omero.otherKeys"):
        parse(values, SOURCE)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("omero.db.host", "is not for a stack file: the plan knows the database and its accounts"),
        ("omero.cluster.redirector", "is not for a stack file: the role of the node decides"),
        ("omero.web.page_size", "is not for a stack file: it is OMERO.web's: set it under web.config"),
        ("omero.sessions.timeout", "is OMERO.server's own: remove it here, config takes it as it is"),
        ("omero.threads.min_threads.indexer", "is OMERO.server's own: remove it here"),
    ],
)
def test_a_key_that_is_known_is_not_another_one(key: str, message: str) -> None:
    values = stacks.values("ebi")
    values["omero"] |= {"otherKeys": [ZARR, key]}
    with pytest.raises(SettingsError) as error:
        parse(values, SOURCE)
    (line,) = str(error.value).splitlines()
    assert f"idr:omero: otherKeys: '{key}' {message}" in line


def test_no_other_key_opens_one_that_the_program_decides() -> None:
    values = stacks.values("ebi")
    values["omero"] |= {"otherKeys": ["omero.db.host"], "config": {"omero.db.host": "db.example.org"}}
    with pytest.raises(SettingsError, match="the plan knows the database"):
        parse(values, SOURCE)


@pytest.mark.parametrize(
    "key",
    [
        *("omero.threads.min_threads.indexer", "Ice.ThreadPool.Server.SizeMax.blitz", "omero.jvmcfg.append.pixeldata"),
        *("omero.security.ignore_case", "omero.logging.level", "omero.fs.importUsers"),
    ],
)
def test_a_key_that_omeros_documentation_leaves_out_is_taken(key: str) -> None:
    assert on_node(plan_with("omero", {key: 7}), "omero")[key] == "7"


@pytest.mark.parametrize("value", [None, "two\nlines", "\x7f"])
def test_a_value_that_is_none_is_refused(value: str | None) -> None:
    assert "idr:web.config.omero.web.top_logo" in refusal("web", {"omero.web.top_logo": value})


@pytest.mark.parametrize(
    ("program", "key", "value", "message"),
    [
        ("web", "omero.web.page_size", "many", "must be a whole number"),
        ("web", "omero.web.page_size", 1.5, "must be a whole number"),
        ("web", "omero.web.page_size", "", "must be a whole number"),
        ("web", "omero.web.ping_interval", True, "must be a whole number"),
        ("web", "omero.web.user_dropdown", "yes", "must be true or false"),
        ("web", "omero.web.show_forgot_password", "on", "must be true or false"),
        ("web", "omero.web.ui.top_links", "Data", "must be a list whose entries are lists or mappings"),
        ("web", "omero.web.open_with", "[[", "must be a list whose entries are lists or mappings"),
        ("web", "omero.web.ui.center_plugins", ["Parade", "a"], "must be a list whose entries are lists or mappings"),
        ("web", "omero.web.admins", "7", "must be a list or a mapping"),
        ("web", "omero.web.top_logo", "https://www.example.org/logo.png", "must be an address of this site"),
        ("web", "omero.web.favicon_url", "//www.example.org/favicon.ico", "must be an address of this site"),
        ("omero", "omero.threads.min_threads", "a few", "must be a whole number"),
        ("omero", "omero.sessions.timeout", "10m", "must be a whole number"),
        ("omero", "omero.search.batch.indexer", "many", "must be a whole number"),
        ("omero", "omero.jvmcfg.append.blitz", "-Xmx200g", "set heapMib of the node"),
        ("omero", "omero.jvmcfg.append", "-XX:MaxRAMPercentage=90", "set heapMib of the node"),
    ],
)
def test_a_value_with_which_the_program_would_not_start_is_refused(
    program: str, key: str, value: Any, message: str
) -> None:
    text = refusal(program, {key: value})
    assert f"config: '{key}' must be " in text
    assert message in text


def test_what_is_such_a_value_is_taken() -> None:
    server = {"omero.sessions.timeout": "600000", "omero.jvmcfg.append.blitz": "-XX:+UseG1GC"}
    assert server.items() <= on_node(plan_with("omero", server), "omero").items()
    logos = {"omero.web.top_logo": "/about/logo.png", "omero.web.favicon_url": ""}
    web = {"omero.web.user_dropdown": "False", "omero.web.ui.top_links": "[]", **logos}
    assert web.items() <= on_node(plan_with("web", web), "web").items()
    numbers = {"omero.web.page_size": SEALED, "omero.web.viewer.initial_zoom_level": "-1"}
    assert numbers.items() <= on_node(plan_with("web", numbers), "web").items()


@pytest.mark.parametrize("program", FILES)
def test_the_programs_own_values_are_such_values(program: str) -> None:
    keys = omero_config.table()[program]
    own = on_node(stacks.plan_of("ebi"), program)
    assert [key for key, value in own.items() if keys.wrong_value(key, value)] == []


@pytest.mark.parametrize("program", FILES)
def test_every_key_whose_value_is_looked_at_is_a_key(program: str) -> None:
    keys = omero_config.table()[program]
    assert keys.values.keys() <= omero_config.CHECKS.keys()
    for patterns in keys.values.values():
        assert [
            one for one in patterns if one not in keys.known and not any(fnmatchcase(k, one) for k in keys.known)
        ] == []


@pytest.mark.parametrize("key", ["", "two words", "omero.web.$(id)", "-x"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    assert "must be a key of OMERO's configuration" in refusal("web", {key: "1"})


def test_a_node_without_the_program_takes_none() -> None:
    for program, key, message in (
        ("omero", "Ice.IPv6", "this node has no OMERO.server"),
        ("web", "omero.web.page_size", "this node has no OMERO.web"),
    ):
        values = stacks.values("ebi")
        values["releases"]["prod130"]["nodes"]["database"][program] = {"config": {key: 100}}
        with pytest.raises(SettingsError, match=message):
            parse(values, Source("ebi", "Pulumi.ebi.yaml"))


def test_the_demos_image_server_takes_none() -> None:
    assert "idr: omero.config: the demo's image server" in refusal("omero", {"omero.ldap.config": True}, "local")


def test_every_key_of_the_omero_web_that_is_installed_is_decided() -> None:
    keys = [line for line in WEB_KEYS if not line.startswith("#")]
    for package in set(WEB_KEYS) - set(keys):
        assert re.search(rf"^{re.escape(package.removeprefix('# '))} ", LOCK, re.MULTILINE), "run dev.web_keys again"
    decided = omero_config.table()["web"]
    owned = [pattern for patterns in decided.owned.values() for pattern in patterns]
    assert [key for key in keys if key not in decided.known and not any(fnmatchcase(key, one) for one in owned)] == []
    assert set(decided.known) <= set(keys)


@pytest.mark.parametrize("program", FILES)
def test_what_the_program_sets_is_owned_or_known(program: str) -> None:
    keys = omero_config.table()[program]
    assert [key for key in on_node(stacks.plan_of("ebi"), program) if keys.unknown(key)] == []


@pytest.mark.parametrize("program", FILES)
def test_every_pattern_of_an_owned_key_is_of_a_key(program: str) -> None:
    """One that is misspelt would close nothing."""
    keys = {*on_node(stacks.plan_of("ebi"), program), *(WEB_KEYS if program == "web" else OWNED_BUT_NOT_SET)}
    for patterns in omero_config.table()[program].owned.values():
        assert [one for one in patterns if not any(fnmatchcase(key, one) for key in keys)] == []


OWNED_BUT_NOT_SET = (
    *("omero.managed.dir", "omero.db.dialect", "omero.db.driver", "omero.db.port", "omero.db.profile"),
    *("omero.db.sql_action_class", "omero.db.url", "omero.db.patch", "omero.db.version", "IceSSL.Ciphers"),
    *("omero.certificates.owner", "omero.jvmcfg.heap_size", "omero.master.host"),
    *("omero.jvmcfg.strategy", "omero.jvmcfg.percent", "omero.jvmcfg.max_system_memory", "omero.web.page_size"),
)
"""Keys of OMERO's documentation that the program owns without setting them."""
