"""What there is to ask for, and in which order."""

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stub_release import GROUP, OWNER, Stub
from idr.prewarm.catalogue import BEGINNING, Catalogue, Item, Position
from idr.prewarm.pages import EVERYBODY, Owner, opened, tree

IMAGES = 500


def listed(stub: Stub, start: Position = BEGINNING, *, images: bool = True) -> list[tuple[Position, Item]]:
    async def read() -> list[tuple[Position, Item]]:
        async def ask(path: str) -> bytes:
            return json.dumps(stub.page(path)).encode()

        catalogue = Catalogue(ask, lambda _path, _why: None, images=images)
        return [entry async for entry in catalogue.items(start)]

    return asyncio.run(read())


EVERYTHING = listed(Stub(IMAGES))


def test_places_rise_from_object_to_object() -> None:
    positions = [position for position, _ in EVERYTHING]
    assert positions == sorted(set(positions))
    assert len(positions) == IMAGES + 2


@settings(max_examples=25)
@given(st.integers(0, len(EVERYTHING) - 1))
def test_from_any_place_on_the_rest_is_the_same(index: int) -> None:
    items = [(position, item.number) for position, item in listed(Stub(IMAGES), EVERYTHING[index][0])]
    assert items == [(position, item.number) for position, item in EVERYTHING[index:]]


def test_the_roots_of_the_tree_are_asked_for_once() -> None:
    roots = {*tree(Owner(OWNER, GROUP)), *tree(Owner(EVERYBODY, GROUP))}
    asked = [path for _, item in EVERYTHING for path in item.paths]
    assert sorted(path for path in asked if path in roots) == sorted(roots)


def test_without_the_pages_of_images_one_of_each_fileset_is_opened() -> None:
    assert opened(5, 0) == ("/webgateway/render_thumbnail/5/", "/webgateway/imgData/5/")
    assert opened(6, 1) == ("/webgateway/render_thumbnail/6/",)
    pages = [path for _, item in listed(Stub(IMAGES), images=False) for path in item.paths]
    assert not any("/img_detail/" in path for path in pages)
    assert len([path for path in pages if "/load_plate/" in path]) == 2 * Stub(IMAGES).plates


def test_no_object_is_asked_for_twice() -> None:
    asked = [path for _, item in EVERYTHING for path in item.paths]
    assert len(asked) == len(set(asked))
