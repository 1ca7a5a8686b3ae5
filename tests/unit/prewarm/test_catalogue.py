"""The objects to request, and their order."""

import asyncio
import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stub_release import GROUP, OWNER, Stub
from idr.prewarm.catalogue import START, Item, Position, catalogue
from idr.prewarm.pages import EVERYBODY, Owner, opened, tree

IMAGES = 500


def listed(
    stub: Stub, start: Position = START, chosen: Sequence[str] = (), *, images: bool = True
) -> list[tuple[Position, Item]]:
    async def read() -> list[tuple[Position, Item]]:
        async def get(path: str) -> bytes:
            return json.dumps(stub.page(path)).encode()

        objects = catalogue(chosen, get, lambda _path, _why: None, images=images)
        return [entry async for entry in objects.items(start)]

    return asyncio.run(read())


EVERYTHING = listed(Stub(IMAGES))


def test_positions_rise_from_object_to_object() -> None:
    positions = [position for position, _ in EVERYTHING]
    assert positions == sorted(set(positions))
    assert len(positions) == IMAGES + 2


@settings(max_examples=25)
@given(st.integers(0, len(EVERYTHING) - 1))
def test_from_any_position_on_the_rest_is_the_same(index: int) -> None:
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


CHOSEN = ("Screen:3", "Dataset:5", "Plate:2", "Image:9")


def test_of_chosen_objects_there_are_their_own_pages_and_the_images_of_plates() -> None:
    entries = listed(Stub(IMAGES), chosen=CHOSEN)
    positions = [position for position, _ in entries]
    assert positions == sorted(set(positions))
    kinds = [(item.kind, item.number) for _, item in entries]
    (plate,) = (index for index, one in enumerate(kinds) if one == ("plate", 2))
    assert kinds[:plate] == [("screen", 3), ("dataset", 5)]
    images = [item for kind, item in kinds[plate + 1 :] if kind == "image"]
    assert images == [*range(385, 501), 9]
    assert "/webclient/metadata_details/screen/3/" in entries[0][1].paths


def test_of_chosen_objects_the_rest_is_the_same_from_any_position_on() -> None:
    everything = listed(Stub(IMAGES), chosen=CHOSEN)
    for index in range(0, len(everything), 7):
        rest = [(position, item.number) for position, item in listed(Stub(IMAGES), everything[index][0], CHOSEN)]
        assert rest == [(position, item.number) for position, item in everything[index:]]
