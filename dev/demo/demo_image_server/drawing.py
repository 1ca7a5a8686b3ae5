"""Synthetic images: cells as under a fluorescence microscope, the same at every call.

An image depends on its id alone. Every well differs: the dose grows along a row (fewer, larger cells) and the stain
changes from row to row, so that the plate looks like a real one.
"""

import colorsys
import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

ROWS, COLUMNS = 16, 24
SIZE = 512  # width and height in pixels
CHANNELS = ("Demo nuclei", "Demo cytoplasm")
NUCLEI = (80, 130, 255)
LABEL = "demo"

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Channel:
    """The rendering settings of one channel: window, colour, visibility."""

    start: float = 0
    end: float = 255
    colour: tuple[int, int, int] = (255, 255, 255)
    active: bool = True
    inverted: bool = False


def default_channels(image_id: int) -> tuple[Channel, Channel]:
    """Return the default channels: blue nuclei, and a cytoplasm whose stain depends on the row of the well."""
    row = (image_id - 1) // COLUMNS % ROWS
    red, green, blue = colorsys.hsv_to_rgb(0.9 * row / ROWS, 0.85, 1.0)
    return Channel(colour=NUCLEI), Channel(colour=(int(red * 255), int(green * 255), int(blue * 255)))


@lru_cache(maxsize=8)
def planes(image_id: int, size: int = SIZE) -> tuple[Plane, Plane]:
    """Return the intensities (0 to 255) of both channels, as planes of `size` by `size` pixels."""
    rng = np.random.default_rng(image_id)
    column = (image_id - 1) % COLUMNS
    cells = int(rng.integers(26, 34)) - column
    radius = 0.035 + 0.0022 * column
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    nuclei = np.zeros((size, size), np.float32)
    cytoplasm = np.zeros((size, size), np.float32)
    for _ in range(max(cells, 4)):
        x, y = rng.uniform(0.03, 0.97, 2)
        stretch, brightness = rng.uniform(0.7, 1.4), rng.uniform(0.5, 1.0)
        along_x = ((axis - x) / (radius * stretch)) ** 2
        along_y = ((axis - y) * stretch / radius) ** 2
        # A Gaussian in two dimensions is the product of two in one: fast enough for hundreds of images a second.
        body = np.outer(np.exp(-along_y / 3.2), np.exp(-along_x / 3.2))
        nucleus = np.outer(np.exp(-along_y * 2.2), np.exp(-along_x * 2.2))
        np.maximum(cytoplasm, brightness * (body - 0.35 * nucleus), out=cytoplasm)
        np.maximum(nuclei, brightness * nucleus, out=nuclei)
    grain = rng.normal(0, 0.018, (2, size, size)).astype(np.float32)
    scale = np.float32(255)
    return (
        np.clip(nuclei + grain[0], 0, 1) * scale,
        np.clip(cytoplasm + grain[1], 0, 1) * scale,
    )


def draw(image_id: int, width: int, height: int, channels: tuple[Channel, ...] = (), quality: float = 0.85) -> bytes:
    """Return a JPEG of the image, `width` by `height` pixels, with the label "demo".

    `quality` is between 0 and 1, as OMERO's compression level.
    """
    # Draw thumbnails at their own scale: this is 20 times faster than to shrink the whole image.
    size = min(SIZE, max(64, width, height))
    colours = np.zeros((size, size, 3), np.float32)
    for plane, channel in zip(planes(image_id, size), channels or default_channels(image_id), strict=False):
        if channel.active:
            span = max(channel.end - channel.start, 1e-6)
            level = np.clip((plane - channel.start) / span, 0, 1)
            level = 1 - level if channel.inverted else level
            colours += level[..., None] * np.asarray(channel.colour, np.float32)
    picture = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8), "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    _write_label(picture)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=round(min(max(quality, 0.1), 1.0) * 95))
    return buffer.getvalue()


def _write_label(picture: Image.Image) -> None:
    height = max(9, picture.height // 10)
    pen = ImageDraw.Draw(picture)
    position = (2, picture.height - height - height // 3)
    pen.text(position, LABEL, fill=(235, 235, 235), font=_font(height), stroke_width=1, stroke_fill=(0, 0, 0))


@lru_cache(maxsize=16)
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(height)
