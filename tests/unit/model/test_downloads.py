"""Files that nodes download: jars for OMERO.server, and which node downloads what."""

from typing import Any

import pytest

from harness import stacks
from harness.rendered import files
from model.planning import plan
from model.reading import SettingsError, Source, parse

JARS: list[dict[str, Any]] = [
    {"url": "https://d.example.org/OMEZarrReader-0.5.2.jar", "name": "OMEZarrReader.jar", "client": True},
    {"url": "https://d.example.org/caffeine-3.1.8.jar", "sha256": "1" * 64},
]
FETCHED = "/usr/local/lib/idr/omero-downloads/downloads"
JARS_FILE = "/usr/local/lib/idr/omero-server/jars"


def parsed(stack: str, jars: Any, **site: Any) -> Any:
    values = stacks.values(stack)
    values["omero"]["jars"] = jars
    return parse(values | ({"site": site} if site else {}), Source(stack, f"Pulumi.{stack}.yaml"))


def test_only_nodes_with_an_omero_server_get_jars_and_only_proxies_the_site() -> None:
    site = {"pages": {"url": "https://d.example.org/site.tar.gz", "sha256": "2" * 64}}
    stack_plan = plan(parsed("ebi", JARS, **site), "ebi")
    fetched = {
        node.alias: [line.split()[0] for line in text.splitlines()[1:]]
        for node in stack_plan.nodes
        if (text := files(node, stack_plan, stacks.secrets_of("ebi")).get(FETCHED))
    }
    server = ["omero.server", "omero.ice", "omero.icePython", "omero.jars.0", "omero.jars.1"]
    omero = ("omeroreadwrite", *(f"omeroreadonly-{number}" for number in range(1, 5)))
    assert fetched == dict.fromkeys(omero, server) | {"proxy": ["site.pages"]}


def test_a_reader_is_for_imports_too_and_has_the_name_that_omero_knows() -> None:
    stack_plan = plan(parsed("ebi", JARS), "ebi")
    (node,) = (node for node in stack_plan.nodes if node.alias == "omeroreadwrite")
    lines = files(node, stack_plan, stacks.secrets_of("ebi"))[JARS_FILE].splitlines()[1:]
    assert lines == [
        "omero.jars.0 lib/server/OMEZarrReader.jar",
        "omero.jars.0 lib/client/OMEZarrReader.jar",
        "omero.jars.1 lib/server/caffeine-3.1.8.jar",
    ]


def test_a_sum_that_is_not_set_is_named_before_an_update() -> None:
    settings = parsed("ebi", JARS, pages={"url": "https://d.example.org/site.tar.gz"})
    assert {"omero.jars.0.sha256", "site.pages.sha256"} <= set(settings.missing())
    assert "omero.jars.1.sha256" not in settings.missing()


@pytest.mark.parametrize(
    ("stack", "jars", "message"),
    [
        (
            "ebi",
            [{"url": "https://d.example.org/a.zip"}],
            "omero.jars.0: url: must end in .jar; or give the jar's name",
        ),
        ("ebi", [{"url": "https://d.example.org/a.jar", "name": "../a.jar"}], "omero.jars.0.name: must be the name"),
        ("ebi", [JARS[1], {"url": "https://e.example.org/caffeine-3.1.8.jar"}], "two of them are lib/server/caffeine"),
        ("ebi", [{"url": "https://d.example.org:81/a.jar"}], "omero.jars.0.url: nodes may fetch from ports 80 and 443"),
        ("local", JARS, "jars: the demo's image server has none"),
    ],
)
def test_jars_that_cannot_be_are_refused(stack: str, jars: Any, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parsed(stack, jars)
    assert message in str(error.value)
