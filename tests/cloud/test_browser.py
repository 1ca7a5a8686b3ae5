"""What a visitor's browser shows: with empty caches, after the pre-warm, with OMERO.web stopped.

No page may have a failed request or an error on the console. What was seen is kept in .local/screenshots.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.local.service import PLATE_PAGE
from harness.browser import webclient
from harness.browser.chromium import Browser, chromium
from harness.cloud.service import Service
from harness.stacks import ROOT
from tests.cloud import visitors

pytestmark = pytest.mark.cloud

SCREENSHOTS = ROOT / ".local" / "screenshots"
WELLS = 384
IMAGE = 200
CHANNEL = "#wblitz-channels-box button"
CLOSED = (
    *("/webclient/login", "/webclient/logout", "/feedback/", "/webadmin/", "download", "archived_files", "script"),
    "/webclient/public/",
)
"""What addresses begin with, or contain, that visitors may not ask for or where they find nothing."""


@pytest.fixture
def browser(service: Service, tmp_path: Path) -> Iterator[Browser]:
    """A browser that has never been here."""
    with chromium(tmp_path, visitors.site(service)) as made:
        yield made


@pytest.fixture(scope="module")
def warm(service: Service, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The proxy has kept what the pre-warm asks for, and nothing else."""
    # The images' pages take minutes: the soak asks for them.
    visitors.prewarm(service, tmp_path_factory.mktemp("prewarm"), "--no-images")


def test_the_page_that_make_up_prints_shows_every_picture_with_empty_caches(service: Service, browser: Browser) -> None:
    visitors.empty_caches(service)
    browser.open(PLATE_PAGE)
    assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "plate.png")


def test_the_landing_page_shows_the_data_and_its_tree_leads_to_the_plate(browser: Browser) -> None:
    browser.open("")
    assert browser.driver.current_url.endswith("/webclient/?experimenter=-1")
    assert browser.traffic().failures == []
    webclient.unfold(browser, "Demo screen")
    webclient.choose(browser, "Demo plate")
    assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
    assert browser.traffic().failures == []


def test_search_finds_an_image_and_the_panel_shows_it(browser: Browser) -> None:
    browser.open("webclient/search/?search_query=H12")
    browser.wait("return document.body.textContent.includes('Demo image H12')")
    browser.open(webclient.image_page(IMAGE))
    browser.wait("return document.querySelector('#metadata_general').textContent.includes('Demo image I08')")
    webclient.click(browser, "#annotation_tabs_list a[href='#metadata_tab']")
    browser.wait("return document.querySelector('#metadata_tab').textContent.includes('Demo nuclei')")
    webclient.click(browser, "#annotation_tabs_list a[href='#preview_tab']")
    assert webclient.pictures(browser, "#preview_tab img[src*='render_image']", 1) == 1
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "image.png")


def test_the_viewer_zooms_and_changes_channels(browser: Browser) -> None:
    view(browser, IMAGE)
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "viewer.png")


def view(browser: Browser, image: int) -> None:
    """Open an image, zoom, and switch its first channel off: another picture comes."""
    browser.open(webclient.viewer(image))
    assert webclient.pictures(browser, webclient.VIEWED, 1) == 1
    both = browser.wait("return viewport.viewportimg.attr('src')")
    browser.run("viewport.setZoom(200)")
    browser.wait("return viewport.getZoom() === 200")
    webclient.click(browser, CHANNEL)
    browser.wait("return viewport.viewportimg.attr('src') !== arguments[0]", both)
    assert webclient.pictures(browser, webclient.VIEWED, 1) == 1


@pytest.mark.parametrize("page", ["", webclient.plate_page(1), webclient.image_page(IMAGE), webclient.viewer(IMAGE)])
def test_no_page_offers_what_is_closed_or_empty(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.traffic()
    leading = {link for link in webclient.links(browser) if any(word in f"/{link}" for word in CLOSED)}
    assert leading == set()
    assert "Login" not in browser.run("return document.body.innerText")


@pytest.mark.usefixtures("warm")
def test_after_the_prewarm_a_browser_finds_all_that_is_kept(browser: Browser) -> None:
    browser.open(webclient.plate_page(1))
    assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
    traffic = browser.traffic()
    assert (traffic.went_up, traffic.failures) == ([], [])


@pytest.mark.usefixtures("warm")
def test_with_omero_web_stopped_an_open_page_and_the_viewer_show_what_is_kept(
    service: Service, browser: Browser, tmp_path: Path
) -> None:
    with chromium(tmp_path / "before", visitors.site(service)) as other:
        other.open(webclient.viewer(IMAGE))
        assert webclient.pictures(other, webclient.VIEWED, 1) == 1
    browser.open("")
    assert browser.traffic().failures == []
    webclient.unfold(browser, "Demo screen")
    assert browser.traffic().failures == []
    with visitors.omero_web_stopped(service):
        webclient.choose(browser, "Demo plate")
        assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
        browser.picture(SCREENSHOTS / "plate-with-omero-web-stopped.png")
        # Once a minute the page tells OMERO.web that it is still open; nobody but OMERO.web can answer that.
        assert [failure for failure in browser.traffic().failures if "keepalive_ping" not in failure] == []
        browser.open(webclient.viewer(IMAGE))
        assert webclient.pictures(browser, webclient.VIEWED, 1) == 1
