"""Uses OMERO.web's pages like a visitor."""

from harness.browser.chromium import Browser

COUNT = "return [...document.querySelectorAll(arguments[0])].filter(one => one.complete && one.naturalWidth > 1).length"
PLATE = "#spw img[id^='image-']"
"""The images of a plate's grid."""


def plate_page(number: int) -> str:
    """Return the address of a plate's page."""
    return f"webclient/?show=plate-{number}"


def image_page(number: int) -> str:
    """Return the address of the page that shows an image in its plate."""
    return f"webclient/?show=image-{number}"


def viewer(number: int) -> str:
    """Return the address of the image viewer."""
    return f"webclient/img_detail/{number}/"


def pictures(browser: Browser, selector: str, expected: int) -> int:
    """Wait until as many images are shown as expected; return their number. Raises TimeoutException."""
    browser.wait(f"{COUNT} >= arguments[1]", selector, expected)
    return int(browser.run(COUNT, selector))


def click(browser: Browser, selector: str) -> None:
    """Click on the first match of a selector, as soon as it exists."""
    browser.wait("return document.querySelector(arguments[0])", selector)
    browser.run("document.querySelector(arguments[0]).click()", selector)


NODE = "//div[@id='dataTree']//li/span[contains(., '{name}')]"


def choose(browser: Browser, name: str) -> None:
    """Click on the entry with this name in the tree, as soon as it exists."""
    browser.click(NODE.format(name=name))


def unfold(browser: Browser, name: str) -> None:
    """Expand the entry with this name in the tree, as soon as it exists."""
    browser.click(NODE.format(name=name) + "/preceding-sibling::i[contains(@class, 'jstree-ocl')]")


def links(browser: Browser) -> set[str]:
    """Return the targets of a page's visible links, without links that only run a script in the page."""
    addresses: list[str] = browser.run(
        """return [...document.querySelectorAll("a[href]")]
            .filter(one => one.getClientRects().length && one.origin === location.origin && one.protocol === "https:")
            .map(one => one.pathname + one.search)"""
    )
    return {link.removeprefix("/") for link in addresses}
