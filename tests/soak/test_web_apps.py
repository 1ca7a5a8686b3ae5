"""Applications beside OMERO.web are added and removed by name, and one that does not load changes nothing."""

import base64
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.browser import web_apps, webclient
from harness.browser.chromium import chromium
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from harness.steps import lines_of
from tests import parade
from tests.cloud import visitors
from tests.cloud.test_broken import BACK, refusal
from tests.cloud.test_browser import GENE, OF_GENE, SCREENSHOTS, WELLS

pytestmark = pytest.mark.cloud

WEB, PROXY = "demo1-omeroreadwrite", "demo1-proxy"
PIP = "sudo /opt/omero/web/venv3/bin/pip -q"
PAGES = {"figure": "figure/", "iviewer": "iviewer/image_data/{}/", "mapr": "mapr/api/gene/?value=DEMO{}"}


@pytest.fixture
def stack(second: Tenant) -> Iterator[Tenant]:
    """Return the second project; restore its applications afterwards."""
    before = second.settings("web")
    yield second
    second.configure(idr_web=before)
    second.apply()


@pytest.fixture
def guest(second: Tenant) -> Iterator[Service]:
    """Return the nodes of the project; restore OMERO.web's packages afterwards."""
    yield second.service()
    second.service().on(WEB, f"{PIP} uninstall -y omero-parade")


def installed(guest: Service, folder: Path) -> None:
    """Lock the packages and install them beside OMERO.web's: the demo's nodes have those from their image."""
    added = parade.fetch(parade.lock(folder), folder)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for file in (added, *folder.glob("*.whl")):
            tar.add(file, file.name)
    unpack = "mkdir -p /tmp/wheels && base64 -d | tar -C /tmp/wheels -x"
    guest.on(WEB, unpack, base64.encodebytes(packed.getvalue()).decode())
    take = "install --no-index --no-deps --require-hashes --find-links /tmp/wheels -r /tmp/wheels/added.lock"
    guest.on(WEB, f"{PIP} {take}")


def served(stack: Tenant, row: int) -> set[str]:
    """Return the applications whose pages work; `row` is an unused row of the plate, so that no page is cached."""
    with stack.service().browser() as visitor:
        return {app for app, page in PAGES.items() if visitor.get(page.format(row)).status_code == 200}


def configure(stack: Tenant, **web: Any) -> None:
    """Set the settings of OMERO.web."""
    stack.configure(idr_web=web)


def test_visitors_get_what_is_named_and_nothing_else(stack: Tenant) -> None:
    for row, apps in enumerate((["figure"], [], ["mapr", "iviewer"]), 1):
        configure(stack, apps=apps)
        assert set(lines_of(stack.apply())) == {f"update Command {PROXY}", f"update Command {WEB}"}
        assert served(stack, row) == set(apps)


def test_one_that_does_not_load_is_named_and_nothing_is_touched(stack: Tenant) -> None:
    configure(stack, apps=["figure"])
    stack.apply()
    # OMERO.mapr has no first page without a category.
    configure(stack, apps=["figure", "mapr"], config={"omero.web.mapr.config": []})
    text = refusal(stack, WEB)
    assert "does not load its settings or an application: IndexError" in text
    assert BACK in text
    assert served(stack, 4) == {"figure"}


def test_one_of_the_sites_own_is_opened_by_what_the_stack_file_says(
    guest: Service, stack: Tenant, tmp_path: Path
) -> None:
    """OMERO.parade as in the guide, from the registry."""
    configure(stack, **{key: value for key, value in parade.of_guide().items() if key != "requirements"})
    text = refusal(stack, WEB)
    assert "does not load its settings or an application: ModuleNotFoundError" in text
    assert "omero_parade" in text
    installed(guest, tmp_path)
    assert f"update Command {WEB}" in lines_of(stack.apply())
    shows_a_plate_and_filters_it(stack.service(), tmp_path)
    with stack.service().browser() as visitor:
        for path in ("parade/", "parade/search/?query=x", "parade/nothing/"):
            assert visitor.get(path).status_code == 404, path


def shows_a_plate_and_filters_it(guest: Service, folder: Path) -> None:
    """OMERO.parade opens in the middle of the client, beside the thumbnails."""
    visitors.empty_caches(guest)
    for cache in ("empty", "warm"):
        # Each time a visitor with an empty cache.
        with chromium(folder / cache, visitors.site(guest)) as browser:
            browser.open(webclient.plate_page(1))
            assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
            web_apps.choose_parade(browser)
            assert webclient.pictures(browser, web_apps.PARADE, WELLS) == WELLS
            web_apps.filter_parade(browser, "Gene Symbol", GENE)
            # Points without the value are nearly transparent.
            faint = f"{web_apps.PARADE}[style*='opacity: 0.1']"
            assert webclient.pictures(browser, faint, WELLS - OF_GENE) == WELLS - OF_GENE
            assert browser.traffic().failures == [], cache
            browser.picture(SCREENSHOTS / "parade.png")
