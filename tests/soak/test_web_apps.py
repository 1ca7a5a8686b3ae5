"""Applications beside OMERO.web come and go with their names, and one that does not load changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.cloud.tenant import Tenant
from harness.steps import said
from tests.cloud.test_broken import BACK, refusal

pytestmark = pytest.mark.cloud

WEB, PROXY = "demo1-omeroreadwrite", "demo1-proxy"
PAGES = {"figure": "figure/", "iviewer": "iviewer/image_data/{}/", "mapr": "mapr/api/gene/?value=DEMO{}"}


@pytest.fixture
def place(second: Tenant) -> Iterator[Tenant]:
    """The project apart; afterwards it has the applications that it had."""
    before = second.settings("web")
    yield second
    second.configure(idr_web=before)
    second.apply()


def served(place: Tenant, row: int) -> set[str]:
    """The applications whose pages answer; `row` is one of the plate that nobody has asked for, so no page is kept."""
    with place.service().browser() as visitor:
        return {app for app, page in PAGES.items() if visitor.get(page.format(row)).status_code == 200}


def configure(place: Tenant, **web: Any) -> None:
    """Set what the stack says of OMERO.web."""
    place.configure(idr_web=web)


def test_visitors_get_what_is_named_and_nothing_else(place: Tenant) -> None:
    for row, apps in enumerate((["figure"], [], ["mapr", "iviewer"]), 1):
        configure(place, apps=apps)
        assert set(said(place.apply())) == {f"update Command {PROXY}", f"update Command {WEB}"}
        assert served(place, row) == set(apps)


def test_one_that_does_not_load_is_named_and_nothing_is_touched(place: Tenant) -> None:
    configure(place, apps=["figure"])
    place.apply()
    # OMERO.mapr has no first page without a category.
    configure(place, apps=["figure", "mapr"], config={"omero.web.mapr.config": []})
    text = refusal(place, WEB)
    assert "does not load its settings or an application: IndexError" in text
    assert BACK in text
    assert served(place, 4) == {"figure"}
