"""Pages of the applications beside OMERO.web, and the pictures that each of them shows."""

from urllib.parse import urlsplit

from harness.browser.chromium import Browser
from harness.browser.traffic import Traffic
from model import web_apps

_DRAWN = """const canvas = document.querySelector(".ol-viewport canvas")
    if (!canvas) return 0
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    let lit = 0
    for (let at = 0; at < pixels.length; at += 4) lit += pixels[at] + pixels[at + 1] + pixels[at + 2] > 60
    return lit"""
MANY = 10_000
"""Pixels of a picture that is there."""
FIGURE = ".imgContainer img"
"""The pictures on OMERO.figure's page."""
MAPR = "#content_details li img[src^='data:']"
"""The pictures of what is chosen in OMERO.mapr's tree."""
PARADE = "#omero_parade td.well img[src^='data:']"
"""The pictures of a plate in OMERO.parade."""
STUDY = ".studyThumb[data-obj_id]"
"""A study on the gallery's first page, whose picture is its background."""


def viewer(*images: int) -> str:
    """The address of images in OMERO.iviewer."""
    return f"iviewer/?images={','.join(map(str, images))}"


def figure(*images: int) -> str:
    """The address of a new figure of images."""
    return "figure/new/?" + "&".join(f"image={image}" for image in images)


def gene(name: str) -> str:
    """The address of a gene in OMERO.mapr."""
    return f"mapr/gene/?value={name}"


def drawn(browser: Browser, other_than: int = 0) -> int:
    """How many pixels of OMERO.iviewer's picture are not black, once there are many. Raises TimeoutException."""
    condition = f"const lit = (() => {{ {_DRAWN} }})(); return lit > arguments[0] && lit !== arguments[1] && lit"
    return int(browser.wait(condition, MANY, other_than))


def studies(browser: Browser) -> list[str]:
    """The backgrounds of the gallery's studies, once each has a picture. Raises TimeoutException."""
    backgrounds = f"[...document.querySelectorAll('{STUDY}')].map(one => one.style.backgroundImage)"
    browser.wait(f"const names = {backgrounds}; return names.length && names.every(one => one.includes('data:image'))")
    names: list[str] = browser.run(f"return {backgrounds}")
    return names


def choose_parade(browser: Browser) -> None:
    """Have OMERO.parade show what is chosen in the client's tree, in the middle."""
    browser.click("//div[@id='center_panel_chooser']//option[.='Parade']")


def filter_parade(browser: Browser, key: str, value: str) -> None:
    """Have OMERO.parade show only what has this value of a key, as its key-value pairs say."""
    browser.click("//div[@id='omero_parade']//option[.='Key_Value']")
    browser.click(f"//div[@class='parade_filter']//option[.='{key}']")
    # React hears of a text only when the element's own setter has set it.
    browser.run(
        """const field = document.querySelector(".parade_filter input[name='query']")
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, arguments[0])
            field.dispatchEvent(new Event("input", {bubbles: true}))""",
        value,
    )


def failures(app: str, traffic: Traffic, site: str, *without: str) -> list[str]:
    """What failed on the pages of an application, but for the sites that it may ask and the namespace does not reach.

    `without` are beginnings of paths that the application asks for and `site` does not have.
    """
    elsewhere = {urlsplit(origin).netloc for sites in web_apps.table()[app].origins.values() for origin in sites}

    def is_expected(url: str) -> bool:
        parts = urlsplit(url)
        return parts.netloc in elsewhere or (parts.netloc == site and parts.path.startswith(without))

    asked = [request.url for request in traffic.requests if request.failed and not is_expected(request.url)]
    return asked + [line for line in traffic.console if not is_expected(line.split()[1])]
