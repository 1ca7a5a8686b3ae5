"""Another image for all nodes of a stack like `ebi`: every server is replaced, one after another, and the data stay."""

from pathlib import Path

import pytest

from harness.cloud.tenant import Tenant
from tests.cloud import faults
from tests.cloud.test_data import ROW
from tests.soak import faults_page

pytestmark = pytest.mark.cloud

IMAGE, NEXT = "idr-debian-12", "idr-debian-12-next"
DATABASE = "demo1-database"


@pytest.fixture
def another_image(whole: Tenant, tmp_path: Path) -> str:
    """Register an image of the project: next month's Debian, with the same bytes."""
    cloud, file = whole.cloud(), tmp_path / "image"
    about = cloud.image.find_image(IMAGE, ignore_missing=False)
    cloud.download_image(IMAGE, output_path=str(file))
    cloud.create_image(
        NEXT,
        filename=str(file),
        disk_format=about.disk_format,
        container_format=about.container_format,
        wait=True,
        timeout=600,
    )
    return NEXT


def test_a_new_image_replaces_every_server_and_no_volume(whole: Tenant, another_image: str) -> None:
    service = whole.service()
    service.on(DATABASE, ROW.format("create table if not exists kept_by_image as select 130 as release"))
    before, volumes = whole.servers(), whole.listing()["volumes"]
    whole.configure(idr_image=another_image, idr_omeroImage=another_image)
    with faults.watching(service) as outage:
        whole.apply()
    now = whole.servers()
    assert now.keys() == before.keys()
    assert [name for name in before if now[name] == before[name]] == []
    assert whole.listing()["volumes"] == volumes
    assert service.on(DATABASE, ROW.format("select release from kept_by_image")) == "130"
    assert not outage.ask(service)
    faults_page.note("All machines", "another image for all nodes of `ebi`", "`pulumi up`", outage)
