"""What there is to ask for, and in which order."""

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.prewarm.stub import Stub
from idr.prewarm.catalogue import BEGINNING, Catalogue, Item, Place, image

IMAGES = 500


def listed(stub: Stub, start: Place = BEGINNING) -> list[tuple[Place, Item]]:
    async def read() -> list[tuple[Place, Item]]:
        async def ask(path: str) -> bytes:
            return json.dumps(stub.page(path)).encode()

        catalogue = Catalogue(ask, lambda _path, _why: None)
        return [entry async for entry in catalogue.items(start)]

    return asyncio.run(read())


EVERYTHING = listed(Stub(IMAGES))


def test_places_rise_from_object_to_object() -> None:
    places = [place for place, _ in EVERYTHING]
    assert places == sorted(set(places))
    assert len(places) == IMAGES + 2


@settings(deadline=None)
@given(st.integers(0, len(EVERYTHING) - 1))
def test_from_any_place_on_the_rest_is_the_same(index: int) -> None:
    assert listed(Stub(IMAGES), EVERYTHING[index][0]) == EVERYTHING[index:]


def test_only_the_first_series_of_a_fileset_opens_its_files() -> None:
    assert image({"@id": 5, "omero:series": 0}).paths == ("/webgateway/imgData/5/", "/webgateway/render_thumbnail/5/")
    assert image({"@id": 6, "omero:series": 1}).paths == ("/webgateway/render_thumbnail/6/",)


def test_an_image_of_no_fileset_is_opened() -> None:
    assert image({"@id": 7}).paths[0] == "/webgateway/imgData/7/"
