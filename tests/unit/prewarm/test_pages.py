"""The requests of a browser: Chromium's addresses with OMERO.web 5.33 (tests/cloud/test_browser.py)."""

import json

import pytest

from idr.prewarm.client import RequestError
from idr.prewarm.pages import container, further_paths, image, well

CHANNELS = [
    {"color": "5082FF", "inverted": False, "active": True, "window": {"start": 0.0, "end": 255.0}},
    {"color": "26FFBD", "inverted": False, "active": True, "window": {"start": 0.5, "end": 255.0}},
]
IMAGE = {
    "id": 200,
    "meta": {"wellId": 21},
    "tiles": False,
    "channels": CHANNELS,
    "rdefs": {"model": "color", "projection": "normal", "defaultZ": 3, "defaultT": 1, "invertAxis": False},
}


PANEL = b"""<img src='/static/x.png'><script>src = "/static/y.png" + "/static/image/rating" + number</script>"""


def named(path: str, answer: object) -> list[str]:
    return list(further_paths(path, json.dumps(answer).encode()))


def test_a_plates_page_and_the_tree_ask_for_it_in_two_ways() -> None:
    assert container("plate", 7, 3)[1:] == (
        "/webclient/api/annotations/?type=map&parents=true&plate=7",
        "/webclient/api/paths_to_object/?plate=7",
        "/webclient/load_plate/plate/7/?index=0&show=plate-7",
        "/webclient/load_plate/plate/7/?index=0",
        "/webgateway/plate/7/0/",
    )


def test_a_grid_names_its_thumbnails_in_the_pages_batches() -> None:
    asked = named("/webgateway/plate/7/0/", {"grid": [[{"id": number}, None] for number in range(1, 121)]})
    assert [path.count("id=") for path in asked] == [50, 50, 20]
    assert asked[1] == "/webgateway/get_thumbnails/?" + "&".join(f"id={number}" for number in range(51, 101))


def test_an_image_names_its_first_picture_as_the_viewer_writes_it() -> None:
    maps = "maps=[{%22inverted%22:{%22enabled%22:false}},{%22inverted%22:{%22enabled%22:false}}]"
    settings = "c=1|0:255$5082FF,2|0.5:255$26FFBD&m=c&p=normal&ia=0"
    assert named("/webclient/imgData/200/", IMAGE) == [
        "/webgateway/table/Plate.wells/21/query/?query=Well-21",
        "/webgateway/table/Screen.plateLinks.child.wells/21/query/?query=Well-21",
        f"/webclient/render_image/200/3/1/?{settings}&q=0.9&{maps}",
        f"/webclient/render_image/200/3/1/?{settings}&{maps}",
    ]


def test_channels_that_are_off_are_left_out_but_the_first() -> None:
    off = [{**channel, "active": False} for channel in CHANNELS]
    *_, asked = named("/webclient/imgData/200/", {**IMAGE, "channels": off})
    assert "?c=-1|0:255$5082FF&m=c" in asked
    assert asked.endswith("maps=[{%22inverted%22:{%22enabled%22:false}}]")


def test_the_viewer_leads_to_omero_iviewer_where_it_has_replaced_it() -> None:
    page = b"<script src='/static/omero_iviewer/main.js'></script>"
    assert "/iviewer/image_data/200/" in further_paths("/webclient/img_detail/200/", page)
    assert list(further_paths("/webclient/img_detail/200/", b"<html></html>")) == []
    maps = "maps=[{%22inverted%22:{%22enabled%22:false}},{%22inverted%22:{%22enabled%22:false}}]"
    assert named("/iviewer/image_data/200/", IMAGE) == [
        "/webclient/api/paths_to_object/?image=200&page_size=10",
        "/webgateway/get_image_rdefs_json/200/",
        "/webclient/render_thumbnail/200/?version=0",
        "/iviewer/well_images/?id=21&offset=0&limit=10",
        f"/webgateway/render_image/200/3/1/?c=1|0:255$5082FF,2|0.5:255$26FFBD&{maps}&m=c&p=normal&q=0.9",
    ]


def test_omero_iviewer_leaves_out_every_channel_that_is_off_and_the_planes_of_large_images() -> None:
    first_off = [{**CHANNELS[0], "active": False}, CHANNELS[1]]
    *_, asked = named("/iviewer/image_data/200/", {**IMAGE, "channels": first_off})
    assert "?c=2|0.5:255$26FFBD&maps=[{%22inverted%22:{%22enabled%22:false}}]&m=c" in asked
    large = named("/iviewer/image_data/200/", {**IMAGE, "tiles": True, "meta": {"wellId": None}})
    assert not [path for path in large if "render_image" in path or "well_images" in path]


def test_of_a_large_image_no_whole_plane_is_asked_for() -> None:
    asked = named("/webclient/imgData/200/", {**IMAGE, "tiles": True, "meta": {"wellId": None}})
    assert asked == ["/webclient/render_birds_eye_view/200/"]


def test_a_page_names_its_files_and_a_style_sheet_its_pictures() -> None:
    page = b'<link href="/static/a.css?_5.33"><script src=\'/static/b.js\'></script><a href="/webclient/">x</a>'
    assert list(further_paths("/webclient/img_detail/1/", page)) == ["/static/a.css?_5.33", "/static/b.js"]
    for panel in ("metadata_details/plate/1/", "metadata_preview/image/1/", "load_plate/plate/7/?index=0"):
        names = list(further_paths(f"/webclient/{panel}", PANEL))
        assert names == ["/static/x.png", "/static/y.png"]
    style = b"a { background: url(../image/x.png), url('data:image/png;base64,xx'), url(/webgateway/luts_png) }"
    assert list(further_paths("/static/webclient/css/a.css?_5.33", style)) == ["/static/webclient/image/x.png"]
    script = b"icon: URLS.static_webclient + 'image/folder16.png', src = static_webgateway + \"img/spacer.gif\""
    assert list(further_paths("/static/webclient/javascript/ome.tree.js?_5.33", script)) == [
        "/static/webclient/image/folder16.png",
        "/static/webgateway/img/spacer.gif",
    ]
    viewers = {
        "open_with_options": [{"id": "x"}, {"script_url": "/static/webclient/javascript/ome.openwith_viewer.js"}]
    }
    assert named("/webgateway/open_with/", viewers) == ["/static/webclient/javascript/ome.openwith_viewer.js"]


def test_a_well_is_chosen_in_its_plate() -> None:
    assert well(21, 7)[0] == "/webclient/load_plate/plate/7/?index=0&show=plate-7|well-21"
    assert "/webclient/img_detail/200/" in image(200)


@pytest.mark.parametrize("path", ["/webgateway/plate/7/0/", "/webclient/imgData/200/"])
@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"<html>"])
def test_an_answer_that_is_something_else_is_a_failure(path: str, answer: bytes) -> None:
    with pytest.raises(RequestError, match=path):
        list(further_paths(path, answer))
