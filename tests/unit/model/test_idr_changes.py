"""Changes of the IDR, which docs/comparison.md expresses in lines of a stack file: each has its effect on the nodes."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import stacks
from harness.rendered import files
from model.overrides import merge
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse

PAGE = stacks.ROOT / "docs" / "comparison.md"
HEADING = "## Changes of the IDR"
LIBRARY = "/usr/local/lib/idr"
DOWNLOADS = f"{LIBRARY}/omero-downloads/downloads"
JARS = f"{LIBRARY}/omero-server/jars"
WEB_LOCK = f"idr-gallery==3.18.0 --hash=sha256:{'0' * 64}"


@dataclass(frozen=True)
class Effect:
    """The expected content of a file of a node: parts of its lines."""

    node: str
    path: str
    lines: tuple[str, ...]


ZARR = ("omero.jars.0 lib/server/OMEZarrReader.jar", "omero.jars.0 lib/client/OMEZarrReader.jar")
EFFECTS = {
    "#427": [Effect("omeroreadwrite", JARS, ZARR), Effect("omeroweb-1", DOWNLOADS, ("/OMEZarrReader-0.5.1.jar",))],
    "#429": [
        Effect("omeroreadonly-2", DOWNLOADS, ("/OMERO.server-5.6.12-ice36.zip", "/OMEZarrReader-0.5.2.jar")),
        Effect("omeroreadonly-2", JARS, ZARR),
    ],
    "#443": [
        Effect("proxy", "/etc/nginx/conf.d/omeroweb.conf", ("location ^~ /webgateway/render_image_region/ {",)),
        Effect("proxy", "/etc/nginx/conf.d/upstreams.conf", ("upstream image-region_first_8082 {",)),
    ],
    "#431": [Effect("omeroreadwrite", DOWNLOADS, ("/OMERO.server-5.6.13-ice36.zip",))],
    "#435": [Effect("omeroweb-1", "/opt/omero/web/config/idr.omero", ("openmicroscopy.org/mapr/omap",))],
    "a different list of applications of OMERO.web": [
        Effect("omeroweb-1", "/opt/omero/web/config/idr.omero", ("omero_iviewer", "omero_figure")),
    ],
    "applications of OMERO.web in newer versions": [
        Effect("omeroweb-1", f"{LIBRARY}/omero-web/requirements.txt", (WEB_LOCK,)),
    ],
    "addresses of applications that visitors may request": [
        Effect("omeroweb-1", "/opt/omero/web/config/idr.omero", ("gallery-api/thumbnails/", "mapr/api/config/")),
        Effect("proxy", "/etc/nginx/conf.d/addresses.conf", ("gallery-api/thumbnails/", "mapr/api/config/")),
    ],
    "#437": [
        Effect(
            "proxy",
            "/etc/nginx/conf.d/redirects.conf",
            (r'"~^/search/\?query=Name:(idr0)?158$" "/about/download.html";',),
        )
    ],
    "#441": [
        Effect("proxy", "/etc/nginx/conf.d/redirects.conf", ('"~^/mapr/api(/.*)?$" "/searchengine/apidocs/";',)),
    ],
    "#442": [
        Effect("proxy", "/etc/nginx/snippets/tls.conf", ("ssl_protocols TLSv1.2 TLSv1.3;", "ssl_ciphers ECDHE-")),
    ],
    "Python packages for the server's command line": [
        Effect("omeroreadwrite", f"{LIBRARY}/omero-server/addons.txt", ("omero-rois==0.4.1",)),
    ],
    "#448": [
        Effect("proxy", "/etc/nginx/conf.d/site.conf", ("location ^~ /searchengine/ {",)),
        Effect("proxy", "/etc/nginx/conf.d/upstreams.conf", ("upstream searchengine_1 {",)),
    ],
    "#447": [
        Effect("omeroreadonly-1", JARS, ("lib/server/omero-zarr-pixel-buffer-0.6.1.jar", "lib/server/jzarr.jar")),
        Effect("omeroreadonly-1", DOWNLOADS, ("/jzarr-0.4.2.jar",)),
    ],
}
"""By the number of the pull request that the table names last, or by the change if it names none."""
LOCK = f"omero-rois==0.4.1 --hash=sha256:{'0' * 64}\n"


def rows() -> dict[str, str]:
    """Return the cells of the table: the change, and the lines of the stack file."""
    table = PAGE.read_text().partition(HEADING)[2].partition("\n\nWhat Ansible")[0]
    lines = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {change.strip(): effect_text.strip() for change, effect_text in lines[1:]}


def lines_by_number() -> dict[str, str]:
    """Return the lines for a stack file in each row, by the names of EFFECTS."""
    return {(re.findall(r"#\d+", change) or [change])[-1]: effect_text for change, effect_text in rows().items()}


def before() -> dict[str, Any]:
    """Return the IDR's stack file without the lines of the table."""
    values = stacks.values("idr")
    del values["omero"]["jars"], values["redirects"], values["web"]["apps"]
    # Keys of an application are removed with it.
    config = values["web"]["config"]
    values["web"]["config"] = {key: config[key] for key in config if not key.startswith("omero.web.gallery.")}
    values["omero"]["server"]["url"] = "https://d.example.org/OMERO.server-5.6.0-ice36.zip"
    return values


def planned(values: dict[str, Any], folder: Path) -> Plan:
    return plan(parse(values, Source("idr", "Pulumi.idr.yaml", folder=folder)), "idr")


def changed(effect_text: str, folder: Path) -> Plan:
    """Return the plan with the lines of a row merged into the stack file."""
    lines = re.match(r"`([^`]+)`", effect_text)
    assert lines, effect_text
    return planned(merge(before(), yaml.safe_load(lines[1].replace("…", "https://d.example.org"))), folder)


def missing(effect: Effect, stack_plan: Plan) -> list[str]:
    """Return the lines of an effect that the file lacks."""
    (node,) = (node for node in stack_plan.nodes if node.alias == effect.node)
    text = files(node, stack_plan, stacks.secrets_of("idr"))[effect.path]
    return [line for line in effect.lines if line not in text]


@pytest.mark.parametrize("number", EFFECTS)
def test_the_lines_of_a_row_make_the_change(number: str, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "omero.lock").write_text(LOCK)
    (tmp_path / "site" / "web.lock").write_text(WEB_LOCK)
    shutil.copytree(stacks.ROOT / "examples", tmp_path / "examples")
    old, new = planned(before(), tmp_path), changed(lines_by_number()[number], tmp_path)
    for effect in EFFECTS[number]:
        # A change without a line is already in the former files.
        assert missing(effect, old) == ([] if lines_by_number()[number].startswith("`{}`") else [*effect.lines])
        assert missing(effect, new) == []


def test_every_row_is_tested() -> None:
    assert len(rows()) >= 12
    assert lines_by_number().keys() == EFFECTS.keys()
