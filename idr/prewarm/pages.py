"""The requests of a browser for each page. They must match exactly, because the address is the proxy's cache key.

Taken from the scripts of OMERO.web 5.33 (ome.tree.js, ome.plateview.js, ome.viewport.js, omero_image.js) and of
OMERO.iviewer 0.19 (main.js). The tests compare them with the requests of Chromium.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from .client import RequestError

BATCH = 50
"""Thumbnails that a plate's page requests at once: `omero.web.thumbnails_batch`."""
EVERYBODY = -1
QUALITY = "0.9"
"""The viewer's first JPEG quality."""

FIRST = (
    f"/webclient/?experimenter={EVERYBODY}",
    "/webgateway/open_with/",
    "/webgateway/luts/",
    "/webgateway/luts_png/",
    "/static/webgateway/img/ome.ico",
)
"""What every browser requests. OMERO.web redirects /favicon.ico to the last one."""
STATIC = "/static/"


@dataclass(frozen=True, order=True)
class Owner:
    """The owner and group of an object, on which the root of the tree depends."""

    user: int
    group: int


def tree(owner: Owner) -> tuple[str, ...]:
    """The root of the tree, for one owner's data or for all data of the group."""
    return (
        f"/webclient/api/experimenters/{owner.user}/?page=1&group={owner.group}",
        f"/webclient/api/containers/?id={owner.user}&experimenter_id={owner.user}&page=0&group={owner.group}",
    )


def container(kind: str, number: int, group: int) -> tuple[str, ...]:
    """The metadata panel of a screen, project, plate or dataset, its branch of the tree, and a plate's grid."""
    return (
        f"/webclient/metadata_details/{kind}/{number}/",
        _keys_and_values(kind, number),
        f"/webclient/api/paths_to_object/?{kind}={number}",
        *(path.format(number=number, group=group) for path in _BY_KIND[kind]),
    )


def _keys_and_values(kind: str, number: int) -> str:
    """The key-value pairs: OMERO.mapr's panel requests them at once, OMERO.web's when it is opened."""
    return f"/webclient/api/annotations/?type=map&parents=true&{kind}={number}"


_BY_KIND = {
    "project": ("/webclient/api/datasets/?id={number}&page=0&group={group}",),
    "dataset": ("/webclient/api/images/?id={number}&page=1&sizeXYZ=true&date=true&group={group}",),
    "screen": ("/webclient/api/plates/?id={number}&page=0&group={group}",),
    "plate": (
        # by its own address, and from the tree
        "/webclient/load_plate/plate/{number}/?index=0&show=plate-{number}",
        "/webclient/load_plate/plate/{number}/?index=0",
        "/webgateway/plate/{number}/0/",
    ),
}
"""What the tree and the middle panel request for a selected container."""


def well(number: int, plate: int) -> tuple[str, ...]:
    """A well that is selected in its plate."""
    return (
        f"/webclient/load_plate/plate/{plate}/?index=0&show=plate-{plate}|well-{number}",
        f"/webclient/metadata_details/well/{number}/?index=0",
        f"/webgateway/well/{number}/children/",
    )


def opened(number: int, series: int) -> tuple[str, ...]:
    """The thumbnail of an image, and for the first image of a fileset a request that makes the server open its files.

    One reader, and so one memo file, serves all series of a fileset.
    """
    thumbnail = f"/webgateway/render_thumbnail/{number}/"
    return (thumbnail,) if series else (thumbnail, f"/webgateway/imgData/{number}/")


def image(number: int) -> tuple[str, ...]:
    """A selected image, its three tabs, and the viewer. The first thumbnail is for programs."""
    return (
        f"/webgateway/render_thumbnail/{number}/",
        f"/webclient/get_thumbnails/?id={number}",
        f"/webclient/metadata_details/image/{number}/",
        _keys_and_values("image", number),
        f"/webclient/metadata_acquisition/image/{number}/",
        f"/webclient/metadata_preview/image/{number}/",
        f"/webclient/img_detail/{number}/",
        f"/webclient/imgData/{number}/",
    )


def further_paths(path: str, body: bytes) -> Iterator[str]:
    """Yield the requests that a browser sends after a response.

    Raises RequestError if the response has another form.
    """
    for pattern, read in _READERS:
        if pattern.match(path):
            try:
                yield from read(path, body)
            except (ValueError, KeyError, TypeError):
                raise RequestError(path, "the answer is not what OMERO.web gives there") from None


def _of_grid(_path: str, body: bytes) -> Iterator[str]:
    numbers = [cell["id"] for row in json.loads(body)["grid"] for cell in row if cell]
    for first in range(0, len(numbers), BATCH):
        yield "/webgateway/get_thumbnails/?" + "&".join(f"id={number}" for number in numbers[first : first + BATCH])


def _of_image(_path: str, body: bytes) -> Iterator[str]:
    data = json.loads(body)
    if well := data["meta"].get("wellId"):
        for table in ("Plate.wells", "Screen.plateLinks.child.wells"):
            yield f"/webgateway/table/{table}/{well}/query/?query=Well-{well}"
    # For a large image a browser requests tiles, which depend on the size of its window.
    if data.get("tiles"):
        yield f"/webclient/render_birds_eye_view/{data['id']}/"
        return
    settings = data["rdefs"]
    plane = f"/webclient/render_image/{data['id']}/{settings['defaultZ']}/{settings['defaultT']}/"
    shown = [(number, one) for number, one in enumerate(data["channels"], 1) if one["active"] or number == 1]
    channels, maps, model = _rendering(shown, settings)
    before = f"{channels}&{model}&ia={int(settings['invertAxis'])}"
    yield f"{plane}?{before}&q={QUALITY}&{maps}"
    yield f"{plane}?{before}&{maps}"


def _of_viewer(path: str, body: bytes) -> Iterator[str]:
    """The image in OMERO.iviewer, where it replaces OMERO.web's own viewer."""
    if b"omero_iviewer" in body:
        yield f"/iviewer/image_data/{path.split('/')[3]}/"


def _of_iviewer(_path: str, body: bytes) -> Iterator[str]:
    data = json.loads(body)
    yield f"/webclient/api/paths_to_object/?image={data['id']}&page_size=10"
    yield f"/webgateway/get_image_rdefs_json/{data['id']}/"
    yield f"/webclient/render_thumbnail/{data['id']}/?version=0"
    if well := data["meta"].get("wellId"):
        yield f"/iviewer/well_images/?id={well}&offset=0&limit=10"
    if not data.get("tiles"):
        settings = data["rdefs"]
        shown = [(number, one) for number, one in enumerate(data["channels"], 1) if one["active"]]
        plane = f"/webgateway/render_image/{data['id']}/{settings['defaultZ']}/{settings['defaultT']}/"
        yield f"{plane}?{'&'.join(_rendering(shown, settings))}&q={QUALITY}"


def _rendering(shown: list[tuple[int, Mapping[str, Any]]], settings: Mapping[str, Any]) -> tuple[str, str, str]:
    """Rendering settings as the viewers write them: channels, their maps, model and projection."""
    words = ",".join(_channel(number, one) for number, one in shown)
    maps = ",".join(f"{{%22inverted%22:{{%22enabled%22:{json.dumps(bool(one['inverted']))}}}}}" for _, one in shown)
    model, projection = settings["model"].lower()[:1], settings["projection"].lower()
    return f"c={words}", f"maps=[{maps}]", f"m={model}&p={projection}"


def _channel(number: int, channel: Mapping[str, Any]) -> str:
    window = channel["window"]
    colour = channel.get("lut") or channel["color"]
    off = "" if channel["active"] else "-"
    return f"{off}{number}|{_number(window['start'])}:{_number(window['end'])}${colour}"


def _number(value: float) -> str:
    """Format a number as JavaScript does."""
    return str(int(value)) if value == int(value) else repr(value)


_STATIC_FILE = re.compile(r"""["'](/static/[^"'{}<>\s?]+\.\w+(?:\?[^"'{}<>\s]*)?)["']""")
"""A static file in quotes. Texts without suffix are parts of addresses that a script assembles."""


def _of_page(path: str, body: bytes) -> Iterator[str]:
    """Yield the static files of a page, a panel or a script in it."""
    for name in dict.fromkeys(_STATIC_FILE.findall(body.decode())):
        yield urljoin(path, name)


def _of_style(path: str, body: bytes) -> Iterator[str]:
    """Yield the pictures of a style sheet. One is no static file: the lookup tables, which `FIRST` has."""
    base = urlsplit(path).path
    for name in dict.fromkeys(re.findall(r"url\(\s*[\"']?([^\"')\s]+)", body.decode())):
        picture = posixpath.normpath(urljoin(base, name))
        if picture.startswith(STATIC):
            yield picture


def _of_script(_path: str, body: bytes) -> Iterator[str]:
    """Yield the pictures of a script, which are in one of two folders."""
    for folder, name in dict.fromkeys(re.findall(r"""\b(image|img)/([\w.-]+\.(?:png|gif|svg))\b""", body.decode())):
        yield f"/static/{'webclient/image' if folder == 'image' else 'webgateway/img'}/{name}"


def _of_open_with(_path: str, body: bytes) -> Iterator[str]:
    """Yield the scripts of the viewers that the webclient offers."""
    for option in json.loads(body)["open_with_options"]:
        if script := option.get("script_url"):
            yield script


Reader = Callable[[str, bytes], Iterator[str]]
_READERS: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (re.compile(r"/webgateway/plate/"), _of_grid),
    (re.compile(r"/webclient/imgData/"), _of_image),
    (re.compile(r"/webclient/(?:\?|img_detail/|load_plate/|metadata_)"), _of_page),
    (re.compile(r"/webclient/img_detail/"), _of_viewer),
    (re.compile(r"/iviewer/image_data/"), _of_iviewer),
    (re.compile(r"/static/[^?]*\.css(?:\?|$)"), _of_style),
    (re.compile(r"/static/web[^?]*\.js(?:\?|$)"), _of_script),
    (re.compile(r"/webgateway/open_with/"), _of_open_with),
)
