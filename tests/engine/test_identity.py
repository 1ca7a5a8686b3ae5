"""Engine and `idr` reach the same cloud with the same identity, however it is given; or both refuse.

The provider's own plugin and `idr.cloud.connect` get the same settings, variables and files. Their requests to
Keystone must be equal, and so must the region and interface that they use afterwards.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.clients import both
from tests.engine.ways import REFUSED, WAYS
from tests.fake_cloud.cloud import FakeCloud

pytestmark = pytest.mark.engine

REGIONS = ("one", "two")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeCloud]:
    with FakeCloud(regions=REGIONS) as started:
        yield started


@pytest.mark.parametrize("name", WAYS)
def test_both_log_in_alike_and_ask_the_same_cloud(
    name: str, fake: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, idr = both(WAYS[name], fake, tmp_path, monkeypatch)
    if name in REFUSED:
        assert provider.network is None, "the provider takes it"
        assert idr.network is None, provider.message
        assert "\n" not in idr.message
    else:
        assert provider.network, provider.message
        assert idr == provider
