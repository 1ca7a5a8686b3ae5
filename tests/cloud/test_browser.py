"""The pages in a visitor's browser: with empty caches, after the pre-warm, and with OMERO.web stopped.

No page may have a failed request or an error on the console. Screenshots are kept in .local/screenshots.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.local.service import PLATE_PAGE
from harness.browser import web_apps, webclient
from harness.browser.chromium import Browser, chromium
from harness.cloud.service import Service
from harness.stacks import ROOT
from tests.cloud import visitors

pytestmark = pytest.mark.cloud

SCREENSHOTS = ROOT / ".local" / "screenshots"
WELLS = 384
IMAGE = 200
GENE, OF_GENE = "DEMO3", 24
"""A gene of the demo's annotations, and the number of its images."""
WITHOUT = ("/searchengine/", "/about/")
"""The demo has no search engine, and no other pages of a site."""
CLOSED = (
    *("/webclient/login", "/webclient/logout", "/feedback/", "/webadmin/", "download", "archived_files", "script"),
    "/webclient/public/",
)
"""Beginnings or parts of addresses that visitors may not use, or where they find nothing."""


@pytest.fixture
def browser(service: Service, tmp_path: Path) -> Iterator[Browser]:
    """Open a browser with an empty cache."""
    with chromium(tmp_path, visitors.site(service)) as started:
        yield started


@pytest.fixture(scope="module")
def warm(service: Service, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fill the proxy's caches by the pre-warm, and with nothing else."""
    # The pages of images take minutes: the soak pre-warms them.
    visitors.prewarm(service, tmp_path_factory.mktemp("prewarm"), "--no-images")


def test_the_page_that_make_up_prints_shows_every_picture_with_empty_caches(service: Service, browser: Browser) -> None:
    visitors.empty_caches(service)
    browser.open(PLATE_PAGE)
    assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "plate.png")


def test_the_client_shows_everybodys_data_and_its_tree_leads_to_the_plate(browser: Browser) -> None:
    browser.open("webclient/")
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


def test_the_viewer_draws_the_image_and_what_is_left_without_a_channel(browser: Browser) -> None:
    browser.open(webclient.viewer(IMAGE))
    both = web_apps.drawn(browser)
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "viewer.png")
    webclient.click(browser, "button.channel[title='Demo nuclei']")
    assert web_apps.drawn(browser, other_than=both) < both
    assert browser.traffic().failures == []
    browser.open(web_apps.viewer(1, IMAGE))
    assert web_apps.drawn(browser)
    assert browser.traffic().failures == []


def test_a_figure_of_three_images_shows_them(browser: Browser) -> None:
    assert figure_is_there(browser)
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "figure.png")


def test_a_gene_leads_to_its_images(browser: Browser) -> None:
    assert images_of_the_gene_are_there(browser)
    assert browser.traffic().failures == []
    browser.picture(SCREENSHOTS / "gene.png")


def test_an_image_names_its_gene_which_leads_there(browser: Browser) -> None:
    browser.open(webclient.image_page(IMAGE))
    browser.click("//a[contains(@href, '/mapr/gene/') and contains(., 'DEMO9')]")
    browser.wait("return document.querySelector('#dataTree').textContent.includes('DEMO9 (24)')")


def test_the_first_page_shows_the_study_with_its_picture(service: Service, browser: Browser) -> None:
    assert study_is_there(browser)
    assert web_apps.failures("gallery", browser.traffic(), visitors.site(service).name, *WITHOUT) == []
    browser.picture(SCREENSHOTS / "gallery.png")


@pytest.mark.parametrize(
    "page",
    [
        *("webclient/", webclient.plate_page(1), webclient.image_page(IMAGE), webclient.viewer(IMAGE)),
        *("", web_apps.gene(GENE)),
    ],
)
def test_no_page_offers_what_is_closed_or_empty(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.traffic()
    leading = {link for link in webclient.links(browser) if any(word in f"/{link}" for word in CLOSED)}
    assert leading == set()
    assert "Login" not in browser.run("return document.body.innerText")


def viewer_is_there(browser: Browser) -> bool:
    browser.open(web_apps.viewer(1, IMAGE))
    return web_apps.drawn(browser) > 0


def figure_is_there(browser: Browser) -> bool:
    browser.open(web_apps.figure(1, 30, IMAGE))
    return webclient.pictures(browser, web_apps.FIGURE, 3) == 3


def images_of_the_gene_are_there(browser: Browser) -> bool:
    browser.open(web_apps.gene(GENE))
    for name in (GENE, "Demo screen"):
        webclient.unfold(browser, name)
    webclient.choose(browser, "Demo plate")
    return webclient.pictures(browser, web_apps.MAPR, OF_GENE) == OF_GENE


def study_is_there(browser: Browser) -> bool:
    browser.open("")
    return len(web_apps.studies(browser)) == 1


@pytest.mark.parametrize(
    ("app", "is_there"),
    [
        ("iviewer", viewer_is_there),
        ("figure", figure_is_there),
        ("mapr", images_of_the_gene_are_there),
        ("gallery", study_is_there),
    ],
)
def test_an_applications_page_is_the_same_with_an_empty_and_a_warm_cache(
    service: Service, tmp_path: Path, app: str, is_there: Callable[[Browser], bool]
) -> None:
    visitors.empty_caches(service)
    site = visitors.site(service)
    for cache in ("empty", "warm"):
        # Each time a visitor with an empty cache.
        with chromium(tmp_path / cache, site) as browser:
            assert is_there(browser), cache
            without = WITHOUT if app == "gallery" else ()
            assert web_apps.failures(app, browser.traffic(), site.name, *without) == [], cache


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
        assert web_apps.drawn(other)
        assert other.traffic().failures == []
    browser.open("webclient/")
    assert browser.traffic().failures == []
    webclient.unfold(browser, "Demo screen")
    assert browser.traffic().failures == []
    with visitors.omero_web_stopped(service):
        webclient.choose(browser, "Demo plate")
        assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
        browser.picture(SCREENSHOTS / "plate-with-omero-web-stopped.png")
        # Once a minute the page reports to OMERO.web that it is still open; only OMERO.web can answer that.
        assert [failure for failure in browser.traffic().failures if "keepalive_ping" not in failure] == []
        browser.open(webclient.viewer(IMAGE))
        assert web_apps.drawn(browser)
