"""Opens pages of OMERO.web's applications, and reads the images that each of them shows."""

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
"""Number of pixels from which an image counts as shown."""
FIGURE = ".imgContainer img"
"""The images on OMERO.figure's page."""
MAPR = "#content_details li img[src^='data:']"
"""The images of the selected object in OMERO.mapr's tree."""
PARADE = "#omero_parade td.well img[src^='data:']"
"""The images of a plate in OMERO.parade."""
STUDY = ".studyThumb[data-obj_id]"
"""A study on the gallery's home page, whose image is its background."""


def viewer(*images: int) -> str:
    """Return the address of images in OMERO.iviewer."""
    return f"iviewer/?images={','.join(map(str, images))}"


def figure(*images: int) -> str:
    """Return the address of a new figure with images."""
    return "figure/new/?" + "&".join(f"image={image}" for image in images)


def gene(name: str) -> str:
    """Return the address of a gene in OMERO.mapr."""
    return f"mapr/gene/?value={name}"


def drawn(browser: Browser, other_than: int = 0) -> int:
    """Wait until OMERO.iviewer's image is shown; return the number of pixels that are not black.

    Raises TimeoutException.
    """
    condition = f"const lit = (() => {{ {_DRAWN} }})(); return lit > arguments[0] && lit !== arguments[1] && lit"
    return int(browser.wait(condition, MANY, other_than))


def studies(browser: Browser) -> list[str]:
    """Wait until each study of the gallery has an image; return their backgrounds. Raises TimeoutException."""
    backgrounds = f"[...document.querySelectorAll('{STUDY}')].map(one => one.style.backgroundImage)"
    browser.wait(f"const names = {backgrounds}; return names.length && names.every(one => one.includes('data:image'))")
    names: list[str] = browser.run(f"return {backgrounds}")
    return names


def choose_parade(browser: Browser) -> None:
    """Open OMERO.parade in the middle panel, for the object that is selected in the tree."""
    browser.click("//div[@id='center_panel_chooser']//option[.='Parade']")


def filter_parade(browser: Browser, key: str, value: str) -> None:
    """Filter OMERO.parade's images by the value of a key in their key-value pairs."""
    browser.click("//div[@id='omero_parade']//option[.='Key_Value']")
    browser.click(f"//div[@class='parade_filter']//option[.='{key}']")
    # React notices a text only if it is set with the element's own setter.
    browser.run(
        """const field = document.querySelector(".parade_filter input[name='query']")
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, arguments[0])
            field.dispatchEvent(new Event("input", {bubbles: true}))""",
        value,
    )


def failures(app: str, traffic: Traffic, site: str, *without: str) -> list[str]:
    """Return what failed on the pages of an application.

    Requests to other sites that the application may use are left out, because the namespace cannot reach them.
    `without` are prefixes of paths that the application requests and `site` does not have.
    """
    elsewhere = {urlsplit(origin).netloc for sites in web_apps.table()[app].origins.values() for origin in sites}

    def is_expected(url: str) -> bool:
        parts = urlsplit(url)
        return parts.netloc in elsewhere or (parts.netloc == site and parts.path.startswith(without))

    asked = [request.url for request in traffic.requests if request.failed and not is_expected(request.url)]
    return asked + [line for line in traffic.console if not is_expected(line.split()[1])]
