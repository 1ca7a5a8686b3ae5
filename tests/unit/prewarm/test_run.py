"""A whole run with a stub release on the loopback."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from harness.stacks import ROOT
from harness.stub_release import Stub
from idr.prewarm import client, run
from idr.prewarm.client import Client
from idr.prewarm.pace import Pace
from idr.prewarm.run import Report, Run, StoppedError
from idr.prewarm.state import State, load
from tests.waiting import wait_until

pytestmark = pytest.mark.long

THUMBNAIL = "/webgateway/render_thumbnail/"
WELLS = 120
"""Images of a plate: more than one page of the API, and few enough for a quick test."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DELAYS", (0.0,))


async def prewarm(stub: Stub, file: Path, state: State | None = None, *, images: bool = False) -> Report:
    server, port = await stub.start()
    pace = Pace(16)
    url = f"http://127.0.0.1:{port}"
    async with server, Client(url, "", "", 16, pace.watch) as asking:
        return await Run(asking, state or State(url), file, pace, lambda _report: None, images)()


def thumbnails(stub: Stub) -> dict[str, int]:
    return {path: times for path, times in stub.asked.items() if path.startswith(THUMBNAIL)}


def test_every_image_is_asked_for_once_and_opened(tmp_path: Path) -> None:
    stub = Stub(images=80, wells=60)
    report = asyncio.run(prewarm(stub, tmp_path / "state", images=True))
    assert thumbnails(stub) == {f"{THUMBNAIL}{number}/": 1 for number in range(1, 81)}
    assert sum("/imgData/" in path for path in stub.asked) == 80
    assert sum("/render_image/" in path for path in stub.asked) == 2 * 80
    assert {"/webclient/metadata_details/plate/2/", "/webgateway/plate/2/0/"} < set(stub.asked)
    assert max(stub.asked.values()) == 1
    batches = [path for path in stub.asked if "/webgateway/get_thumbnails/" in path]
    assert sorted(path.count("id=") for path in batches) == [10, 20, 50]
    assert "/webgateway/get_thumbnails/?" + "&".join(f"id={number}" for number in range(51, 61)) in batches
    assert report.done == {"plate": 2, "image": 80}
    assert (report.failed, report.complete) == (0, True)


def test_what_fails_is_reported_and_the_rest_asked_for(tmp_path: Path) -> None:
    stub = Stub(images=200)
    broken = f"{THUMBNAIL}77/"
    stub.broken.add(broken)
    report = asyncio.run(prewarm(stub, tmp_path / "state"))
    assert len(thumbnails(stub)) == 200
    assert (report.failed, report.complete) == (1, True)
    lines = (tmp_path / "state.failed").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"path": broken, "why": "status 404"}]


def test_who_asks_too_much_waits_for_a_turn_however_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub, turned_away = Stub(images=1), Counter[str]()
    answer = stub.answer

    async def after_ten_times(path: str) -> tuple[int, bytes]:
        turned_away[path] += 1
        return (429, b"") if turned_away[path] <= 10 else await answer(path)

    monkeypatch.setattr(stub, "answer", after_ten_times)
    report = asyncio.run(prewarm(stub, tmp_path / "state"))
    assert (report.failed, report.complete, len(thumbnails(stub))) == (0, True, 1)


@pytest.mark.parametrize(("status", "failed"), [(404, 0), (502, 1)])
def test_of_static_files_only_one_that_is_not_there_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, failed: int
) -> None:
    stub = Stub(images=1)
    answer = stub.answer

    async def with_a_file(path: str) -> tuple[int, bytes]:
        if path == "/webclient/img_detail/1/":
            return 200, b"<img src='/static/x.png'>"
        return (status, b"") if path == "/static/x.png" else await answer(path)

    monkeypatch.setattr(stub, "answer", with_a_file)
    assert asyncio.run(prewarm(stub, tmp_path / "state", images=True)).failed == failed


def test_a_plate_that_cannot_be_listed_does_not_stop_the_others(tmp_path: Path) -> None:
    stub = Stub(images=2 * WELLS, wells=WELLS)
    stub.broken.add("/api/v0/m/plates/1/wells/?limit=96&offset=0&normalize=true")
    report = asyncio.run(prewarm(stub, tmp_path / "state"))
    assert report.done == {"plate": 2, "image": WELLS}
    assert report.failed == 1


def test_a_service_that_goes_away_stops_the_run_which_then_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "GIVE_UP", 5)
    stub = Stub(images=WELLS, wells=WELLS)
    answer = stub.answer

    async def fails_from_image_70(path: str) -> tuple[int, bytes]:
        stub.down = stub.down or path == f"{THUMBNAIL}70/"
        return await answer(path)

    monkeypatch.setattr(stub, "answer", fails_from_image_70)
    file = tmp_path / "state"
    with pytest.raises(StoppedError, match="5 requests in a row failed"):
        asyncio.run(prewarm(stub, file))
    answered = set(thumbnails(stub))
    assert not (tmp_path / "state.failed").exists()

    stub, state = Stub(images=WELLS, wells=WELLS), State(**json.loads(file.read_text()))
    report = asyncio.run(prewarm(stub, file, load(file, state.target)))
    assert {f"{THUMBNAIL}{number}/" for number in range(1, WELLS + 1)} == answered | set(thumbnails(stub))
    assert f"{THUMBNAIL}70/" in thumbnails(stub)
    assert (report.done["image"], report.failed, report.complete) == (WELLS, 0, True)


def test_a_killed_run_repeats_no_more_than_what_was_under_way_and_not_yet_noted(tmp_path: Path) -> None:
    images, most = 400, 8
    command = [sys.executable, "-m", "harness.stub_release", "--images", str(images), "--seconds", "0.002"]
    stub = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert stub.stdout
    try:
        url = f"http://127.0.0.1:{int(stub.stdout.readline())}"
        command = [sys.executable, "-m", "idr.prewarm", "--url", url, "--state", str(tmp_path / "state")]
        command += ["--no-images", "--concurrency", str(most), "--json"]
        first = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(lambda: sum(asked(url).values()) >= images / 2, 60, pause=0.05, state=first.poll)
        first.send_signal(signal.SIGKILL)
        first.wait()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        counted = asked(url)
    finally:
        stub.kill()
        stub.wait()
    assert len(counted) == images
    assert 0 < sum(counted.values()) - images <= run.SAVE_EVERY + most
    assert json.loads(done.stdout)["done"]["image"] == images


def asked(url: str) -> dict[str, int]:
    counted: dict[str, int] = httpx.get(f"{url}/asked").json()
    return {path: times for path, times in counted.items() if path.startswith(THUMBNAIL)}
