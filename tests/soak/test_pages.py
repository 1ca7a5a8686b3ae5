"""A site's static pages on a running proxy: downloaded by their sum, replaced, and kept if an archive is wrong.

Each test continues where the previous one ended.
"""

import io
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.browser import webclient
from harness.browser.chromium import Browser, chromium
from harness.cloud.tenant import Tenant
from harness.stacks import ROOT
from harness.steps import lines_of
from tests.cloud import downloads, visitors
from tests.cloud.test_broken import BACK, corrected, refusal
from tests.cloud.test_browser import SCREENSHOTS, WELLS

pytestmark = pytest.mark.cloud

PROXY = "demo1-proxy"
WRONG = "0" * 64


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>The {name} pages</title>
<link rel="stylesheet" href="style/page.css">
<script src="made.js" defer></script>
</head>
<body>
<h1>The {name} pages</h1>
<img src="pictures/plate.jpg" alt="A plate">
<a href="/webclient/?show=plate-1">The plate itself</a>
</body>
</html>
"""
BESIDE = {
    "style/page.css": b"h1 { color: rgb(0, 128, 0) }\n",
    "made.js": b"document.body.dataset.made = 'here'\n",
    "pictures/plate.jpg": (ROOT / "docs" / "screenshots" / "plate.jpg").read_bytes(),
}
"""The parts that the page loads, as a site's generator packs them."""


@pytest.fixture(scope="module")
def base(second: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the archives; afterwards remove the site's pages."""
    folder = tmp_path_factory.mktemp("archives")
    for name in ("old", "new"):
        packed(folder / f"{name}.tar.gz", {"index.html": PAGE.format(name=name).encode(), **BESIDE})
    with downloads.served(folder) as url:
        yield url
    second.configure(idr_site=None)
    second.apply()


def packed(file: Path, files: Mapping[str, bytes]) -> None:
    """Write an archive."""
    with tarfile.open(file, "w:gz") as tar:
        for path, content in files.items():
            about = tarfile.TarInfo(path)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))


def wanted(stack: Tenant, url: str, **more: str) -> None:
    """Set the site's pages."""
    stack.configure(idr_site={"pages": {"url": url, "path": "/about/", **more}})


def pinned(stack: Tenant) -> None:
    """Let `idr pin` write the sum."""
    done = stack.run(sys.executable, "-m", "idr", "pin", "--stack", stack.stack)
    assert done.returncode == 0, done.stdout + done.stderr


def shown(stack: Tenant) -> str:
    """Return the page that visitors see."""
    with stack.service().browser() as visitor:
        answer = visitor.get("about/")
        return answer.text if answer.status_code == 200 else str(answer.status_code)


def test_pages_are_served_by_their_sum(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/old.tar.gz")
    pinned(second)
    assert lines_of(second.apply()) == [f"update Command {PROXY}"]
    assert shown(second) == PAGE.format(name="old")


def test_a_browser_shows_them_whole_and_they_lead_to_the_data(second: Tenant, base: str, tmp_path: Path) -> None:
    assert base
    with chromium(tmp_path, visitors.site(second.service())) as browser:
        # As people type it, without the slash.
        browser.open("about")
        assert show_their_parts(browser) == ["The old pages", "rgb(0, 128, 0)", "here"]
        assert browser.traffic().failures == []
        browser.picture(SCREENSHOTS / "static-site.png")
        browser.click("//a[.='The plate itself']")
        assert webclient.pictures(browser, webclient.PLATE, WELLS) == WELLS
        assert browser.traffic().failures == []


def show_their_parts(browser: Browser) -> list[str]:
    """Return the title, and the results of style sheet and script, once the picture has loaded."""
    assert webclient.pictures(browser, "img[alt='A plate']", 1) == 1
    parts: list[str] = browser.run(
        "return [document.title, getComputedStyle(document.querySelector('h1')).color, document.body.dataset.made]"
    )
    return parts


def test_a_wrong_sum_is_one_message_and_the_old_pages_are_served(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/new.tar.gz", sha256=WRONG)
    text = refusal(second, PROXY)
    assert f"site.pages: {base}/new.tar.gz has SHA-256 " in text
    assert f"the settings say {WRONG}; not unpacked" in text
    assert BACK in text
    assert shown(second) == PAGE.format(name="old")


def test_an_archive_that_is_not_there_is_one_message_and_the_old_pages_are_served(second: Tenant, base: str) -> None:
    wanted(second, f"{base}/none.tar.gz", sha256=WRONG)
    text = refusal(second, PROXY)
    assert f"{base}/none.tar.gz" in text
    assert BACK in text
    assert shown(second) == PAGE.format(name="old")


def test_the_right_sum_brings_the_new_pages(second: Tenant, base: str, tmp_path: Path) -> None:
    wanted(second, f"{base}/new.tar.gz")
    pinned(second)
    corrected(second, PROXY)
    assert shown(second) == PAGE.format(name="new")
    with chromium(tmp_path, visitors.site(second.service())) as browser:
        browser.open("about/")
        assert show_their_parts(browser) == ["The new pages", "rgb(0, 128, 0)", "here"]
        assert browser.traffic().failures == []


def test_without_them_their_address_is_closed(second: Tenant, base: str) -> None:
    assert base
    second.configure(idr_site=None)
    second.apply()
    assert shown(second) == "404"
