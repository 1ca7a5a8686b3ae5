"""Files that a stack names must be in the checkout, and no links: the review sees no change behind a link."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import stacks
from model.overrides_file import with_overrides
from model.reading import SettingsError, Source, parse
from tests.site_roles import EXAMPLE, ROLE

HASH = "--hash=sha256:" + "a" * 64


def parsed(checkout: Path, **settings: Any) -> None:
    values = stacks.values("ebi")
    for key, value in settings.items():
        below = values.get(key)
        values[key] = below | value if isinstance(below, dict) else value
    parse(values, Source("ebi", "Pulumi.ebi.yaml", folder=checkout))


def roles(checkout: Path) -> None:
    parsed(checkout, siteRoles="site/roles")


def locations(checkout: Path) -> None:
    parsed(checkout, site={"locations": "site/nginx"})


def addons(checkout: Path) -> None:
    parsed(checkout, omero={"addons": "site/omero.lock"})


def overrides(checkout: Path) -> None:
    with_overrides({"overrides": "site/more.yaml"}, Source("ebi", "Pulumi.ebi.yaml"), checkout)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout with one file of each kind, and a copy of all in a folder that no stack is reviewed for."""
    site = tmp_path / "site"
    shutil.copytree(EXAMPLE / "roles", site / "roles")
    (site / "nginx").mkdir()
    (site / "nginx" / "own.nginx").write_text("location = /own { return 204; }\n")
    (site / "omero.lock").write_text(f"omero-rois==0.4.1 {HASH}\n")
    (site / "more.yaml").write_text("hostName: other.example.org\n")
    shutil.copytree(site, tmp_path / "docs" / "site")
    return tmp_path


@pytest.mark.parametrize(
    ("read", "link"),
    [
        *((roles, link) for link in ("site", "site/roles", f"site/roles/{ROLE}", f"site/roles/{ROLE}/role.yaml")),
        (roles, f"site/roles/{ROLE}/files/srv/about/index.html.j2"),
        *((locations, link) for link in ("site", "site/nginx", "site/nginx/own.nginx")),
        *((addons, link) for link in ("site", "site/omero.lock")),
        *((overrides, link) for link in ("site", "site/more.yaml")),
    ],
)
def test_a_link_is_refused(checkout: Path, read: Callable[[Path], None], link: str) -> None:
    read(checkout)
    own = checkout / link
    shutil.rmtree(own) if own.is_dir() else own.unlink()
    own.symlink_to(checkout / "docs" / link)
    with pytest.raises(SettingsError, match=f"{link} is a link"):
        read(checkout)
