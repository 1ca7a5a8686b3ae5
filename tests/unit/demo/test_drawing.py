"""The demo draws its pictures: real JPEGs, always the same ones, another for every well."""

import io

from demo_image_server.drawing import draw
from PIL import Image


def test_a_picture_is_a_jpeg_of_the_size_asked_for() -> None:
    picture = Image.open(io.BytesIO(draw(1, 96, 64)))
    assert (picture.format, picture.size) == ("JPEG", (96, 64))


def test_the_same_image_is_the_same_bytes() -> None:
    assert draw(7, 96, 96) == draw(7, 96, 96)


def test_every_well_of_the_plate_differs() -> None:
    assert len({draw(number, 64, 64) for number in range(1, 385)}) == 384
