"""OMERO.web's pages as a visitor uses them."""

from tests.browser.chromium import Browser

SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(i => i.complete && i.naturalWidth > 1).length"
PLATE = "#spw img[id^='image-']"
"""The pictures of a plate's grid."""


def pictures(browser: Browser, selector: str, expected: int) -> int:
    """How many pictures are shown, once they are as many as expected. Raises TimeoutException when they never are."""
    browser.wait(f"{SHOWN} >= arguments[1]", selector, expected)
    return int(browser.run(SHOWN, selector))


def open_plate(browser: Browser, number: int, wells: int) -> int:
    """Open a plate's page; how many of its pictures are shown."""
    browser.open(f"webclient/?show=plate-{number}")
    return pictures(browser, PLATE, wells)
