"""OMERO.web's pages as a visitor uses them."""

from harness.browser.chromium import Browser

COUNT = "return [...document.querySelectorAll(arguments[0])].filter(one => one.complete && one.naturalWidth > 1).length"
PLATE = "#spw img[id^='image-']"
"""The pictures of a plate's grid."""


def plate_page(number: int) -> str:
    """The address of a plate's page."""
    return f"webclient/?show=plate-{number}"


def image_page(number: int) -> str:
    """The address of the page that shows an image in its plate."""
    return f"webclient/?show=image-{number}"


def viewer(number: int) -> str:
    """The address of the image viewer."""
    return f"webclient/img_detail/{number}/"


def pictures(browser: Browser, selector: str, expected: int) -> int:
    """How many pictures are shown, once they are as many as expected. Raises TimeoutException when they never are."""
    browser.wait(f"{COUNT} >= arguments[1]", selector, expected)
    return int(browser.run(COUNT, selector))


def click(browser: Browser, selector: str) -> None:
    """Click on what a selector finds first, once it is there."""
    browser.wait("return document.querySelector(arguments[0])", selector)
    browser.run("document.querySelector(arguments[0]).click()", selector)


NODE = "//div[@id='dataTree']//li/span[contains(., '{name}')]"


def choose(browser: Browser, name: str) -> None:
    """Click on what is called so in the tree, once it is there."""
    browser.click(NODE.format(name=name))


def unfold(browser: Browser, name: str) -> None:
    """Open what is called so in the tree, once it is there."""
    browser.click(NODE.format(name=name) + "/preceding-sibling::i[contains(@class, 'jstree-ocl')]")


def links(browser: Browser) -> set[str]:
    """Where the visible links of a page of this site lead to, without those that only do something in the page."""
    addresses: list[str] = browser.run(
        """return [...document.querySelectorAll("a[href]")]
            .filter(one => one.getClientRects().length && one.origin === location.origin && one.protocol === "https:")
            .map(one => one.pathname + one.search)"""
    )
    return {link.removeprefix("/") for link in addresses}
