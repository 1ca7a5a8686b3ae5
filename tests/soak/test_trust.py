"""Every way to trust a cloud, with and without a client's certificate; `make test` has one of each kind."""

from itertools import product
from pathlib import Path

import pytest

from tests.engine import trust

pytestmark = pytest.mark.engine

CASES = product(trust.TRUST, (False, True), (False, True))


@pytest.mark.parametrize(
    ("name", "wants_client", "with_client"), [case for case in CASES if case not in trust.ONE_OF_EACH]
)
def test_both_trust_the_same_cloud(
    name: str, wants_client: bool, with_client: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust.trust_alike(name, tmp_path, monkeypatch, wants_client=wants_client, with_client=with_client)
