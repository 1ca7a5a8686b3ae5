"""The requests and failures in the events of Chromium's logs."""

import json
from typing import Any

from harness.browser.traffic import Recorder, Traffic, complaints

SITE = "https://demo.idr.internal"


def event(method: str, number: str = "1", **params: Any) -> dict[str, str]:
    return {
        "message": json.dumps({"message": {"method": f"Network.{method}", "params": {"requestId": number, **params}}})
    }


def asked(path: str, number: str = "1", **more: Any) -> dict[str, str]:
    return event("requestWillBeSent", number, request={"url": f"{SITE}{path}"}, **more)


def response(status: int, cache: str = "", **more: Any) -> dict[str, Any]:
    return {"status": status, "headers": {"X-Cache-Status": cache} if cache else {}, **more}


def seen(*events: dict[str, str]) -> Traffic:
    recorder = Recorder()
    recorder.note(events)
    return Traffic(recorder.requests(), ())


def test_a_page_without_fault_has_no_failures() -> None:
    answered = event("responseReceived", response=response(200, "HIT"))
    traffic = seen(asked("/a?b=1"), answered, event("loadingFinished"))
    assert [request.path for request in traffic.requests] == ["/a?b=1"]
    assert (traffic.failures, traffic.went_up) == ([], [])


def test_statuses_and_cut_connections_are_failures_and_cancelled_requests_are_none() -> None:
    traffic = seen(
        asked("/missing", "1"),
        event("responseReceived", "1", response=response(404)),
        asked("/cut", "2"),
        event("loadingFailed", "2", errorText="net::ERR_CONNECTION_RESET"),
        asked("/cancelled", "3"),
        event("loadingFailed", "3", errorText="net::ERR_ABORTED", canceled=True),
    )
    assert sorted(traffic.failures) == ["/cut: net::ERR_CONNECTION_RESET", "/missing: 404"]


def test_each_step_of_a_redirect_is_a_request() -> None:
    traffic = seen(
        asked("/"),
        asked("/webclient/", redirectResponse=response(302)),
        event("responseReceived", response=response(502)),
        event("loadingFinished"),
    )
    assert [(request.path, request.status) for request in traffic.requests] == [("/", 302), ("/webclient/", 502)]
    assert traffic.failures == ["/webclient/: 502"]


def test_what_the_proxy_fetched_went_up_and_what_the_browser_kept_did_not() -> None:
    traffic = seen(
        *(asked("/fetched", "1"), event("responseReceived", "1", response=response(200, "MISS"))),
        *(asked("/kept", "2"), event("responseReceived", "2", response=response(200, "MISS", fromDiskCache=True))),
        *(asked("/session", "3"), event("responseReceived", "3", response=response(200))),
    )
    assert traffic.went_up == ["/fetched"]


def test_an_answer_that_is_still_to_come_is_waited_for() -> None:
    recorder = Recorder()
    assert recorder.note([asked("/a")])
    assert recorder.waiting
    recorder.note([event("responseReceived", response=response(200))])
    assert not recorder.waiting
    assert not recorder.note([event("dataReceived")])


def test_what_a_page_makes_itself_is_no_request() -> None:
    recorder = Recorder()
    recorder.note([event("requestWillBeSent", request={"url": f"blob:{SITE}/1"})])
    assert (recorder.waiting, recorder.requests()) == (False, ())


def test_errors_of_the_console_are_complaints() -> None:
    console = [{"level": level, "message": "x"} for level in ("INFO", "WARNING", "SEVERE")]
    assert complaints(console) == ("SEVERE: x",)
