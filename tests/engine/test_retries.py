"""A service that is briefly busy, on the fake cloud: `idr` repeats its own requests, the login as well."""

import time

import pytest

from idr.cloud import CloudError, asking, connect
from tests.fake_cloud.cloud import FakeCloud, Service
from tests.fake_cloud.http import Answer, Call, CutError, failure

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("path", ["identity/v3/auth/tokens", "one/public/compute/v2.1/servers/detail"])
@pytest.mark.parametrize(
    ("status", "refusals", "answered"), [(503, 2, True), (429, 2, True), (503, 9, False), (None, 1, True)]
)
def test_what_was_refused_is_asked_again_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, path: str, status: int | None, refusals: int, answered: bool
) -> None:
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda _: None)
    asked: list[str] = []

    def busy(call: Call, service: Service) -> Answer:
        if call.path != path:
            return service(call)
        asked.append(path)
        if len(asked) > refusals:
            return service(call)
        if status is None:
            raise CutError
        return failure(status, "busy")

    with FakeCloud(between=busy) as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        if answered:
            assert asking(lambda: list(connect(lambda _: None).compute.servers())) == []
        else:
            with pytest.raises(CloudError, match="503"):
                asking(lambda: list(connect(lambda _: None).compute.servers()))
            assert len(asked) == 5


def test_a_cloud_that_is_silent_is_reported_not_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(call: Call, service: Service) -> Answer:
        time.sleep(1)
        return service(call)

    with FakeCloud(between=late) as cloud:
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CloudError, match=r"^the cloud does not answer: Unable [^(]*: Read timed out"):
            asking(lambda: list(connect(lambda _: None, answer_seconds=0.2).compute.servers()))
