"""After a whole pre-warm, images' pages too: a browser that opens any of them sends OMERO.web no request."""

from pathlib import Path

import pytest

from harness.browser import webclient
from harness.browser.chromium import chromium
from harness.cloud.service import Service
from tests.cloud import visitors

pytestmark = pytest.mark.cloud

WELLS = 384
IMAGES = (1, 200, WELLS)


@pytest.fixture(scope="module")
def warm(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return the service, pre-warmed."""
    visitors.prewarm(service, tmp_path_factory.mktemp("prewarm"))
    return service


@pytest.mark.parametrize("page", [webclient.plate_page(1), *(webclient.image_page(image) for image in IMAGES)])
def test_a_browser_finds_all_that_is_kept(warm: Service, tmp_path: Path, page: str) -> None:
    with chromium(tmp_path, visitors.site(warm)) as browser:
        browser.open(page)
        assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
        traffic = browser.traffic()
        assert (traffic.went_up, traffic.failures) == ([], [])
