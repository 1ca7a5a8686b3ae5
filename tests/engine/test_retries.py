"""A service that is busy for a moment, on the fake cloud: idr's own requests are repeated."""

from collections.abc import Callable

import pytest

from idr.cloud import CloudError, asking, connect
from tests.fake_cloud.cloud import FakeCloud
from tests.fake_cloud.http import Answer, Call, failure

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("refusals", "answered"), [(2, True), (9, False)])
def test_a_503_is_asked_again_but_not_for_ever(monkeypatch: pytest.MonkeyPatch, refusals: int, answered: bool) -> None:
    monkeypatch.setattr("keystoneauth1.session.time.sleep", lambda _: None)
    with FakeCloud() as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        compute = cloud._regions["one"].services["compute"]
        answer: Callable[[Call, str], Answer] = compute.answer
        asked: list[str] = []

        def busy(call: Call, path: str) -> Answer:
            if not path.endswith("servers/detail"):
                return answer(call, path)
            asked.append(path)
            return failure(503, "busy") if len(asked) <= refusals else answer(call, path)

        monkeypatch.setattr(compute, "answer", busy)
        if answered:
            assert asking(lambda: list(connect(lambda _: None).compute.servers())) == []
        else:
            with pytest.raises(CloudError, match="503"):
                asking(lambda: list(connect(lambda _: None).compute.servers()))
