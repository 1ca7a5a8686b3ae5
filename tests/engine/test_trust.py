"""Engine and `idr` trust the same clouds, and show the same certificate to a cloud that asks for one."""

from pathlib import Path

import pytest

from tests.engine import trust

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("name", "wants_client", "with_client"), trust.ONE_OF_EACH)
def test_both_trust_the_same_cloud(
    name: str, wants_client: bool, with_client: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust.trust_alike(name, tmp_path, monkeypatch, wants_client=wants_client, with_client=with_client)
