"""The command line of the pre-warm."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.ports import free_port
from harness.stub_release import Stub
from idr.__main__ import app
from idr.prewarm import client


@contextmanager
def served(stub: Stub) -> Iterator[str]:
    # It cancels the connections that are still open at its end.
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        _server, port = asyncio.run_coroutine_threadsafe(stub.start(), loop).result()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


def idr(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["prewarm", *arguments])
    return done.exit_code, done.output


def test_a_dry_run_only_counts(tmp_path: Path) -> None:
    stub = Stub(images=500)
    with served(stub) as url:
        status, output = idr("--url", url, "--state", str(tmp_path / "state"), "--dry-run", "--json")
    assert status == 0
    assert json.loads(output) == {"screen": 0, "project": 0, "plate": 2, "dataset": 0, "image": 500}
    assert all(path.startswith("/api/") for path in stub.asked)
    assert not (tmp_path / "state").exists()


def test_who_waits_for_an_answer_is_told_and_the_end_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DELAYS", (0.01, 0.01))
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.0)
    made = tmp_path / "report.json"
    made.write_text(json.dumps({"made": ["Image:1", "Image:2"]}))
    url = f"http://127.0.0.1:{free_port()}"
    for more in ((), ("--dry-run",), ("--only", str(made))):
        status, output = idr("--url", url, "--state", str(tmp_path / "-".join(["state", *more[:1]])), *more)
        *waited, end = output.splitlines()
        assert status == 75
        assert waited[0] == f"waiting for {url}: no answer yet"
        assert waited[1:] == [f"waiting for {url}: All connection attempts failed"] * 2
        assert end.startswith(f"error: {url}: /")


def test_who_is_answered_is_not_told_of_waiting(tmp_path: Path) -> None:
    with served(Stub(images=20)) as url:
        assert "waiting" not in idr("--url", url, "--state", str(tmp_path / "state"))[1]


def test_what_was_done_is_not_asked_for_again(tmp_path: Path) -> None:
    stub = Stub(images=20)
    with served(stub) as url:
        arguments = ("--url", url, "--state", str(tmp_path / "state"))
        assert idr(*arguments)[0] == 0
        before = stub.asked.total()
        status, output = idr(*arguments)
        assert (status, stub.asked.total()) == (0, before)
        assert "--fresh" in output
        assert idr(*arguments, "--fresh")[0] == 0
        assert stub.asked.total() == 2 * before


def test_only_what_an_import_has_made_is_asked_for(tmp_path: Path) -> None:
    stub, report = Stub(images=500), tmp_path / "report.json"
    report.write_text(json.dumps({"made": ["Screen:3", "Plate:2"]}))
    with served(stub) as url:
        arguments = ("--url", url, "--only", str(report), "--state", str(tmp_path / "state"))
        status, output = idr(*arguments, "--dry-run", "--json")
        assert json.loads(output) == {"screen": 1, "project": 0, "plate": 1, "dataset": 0, "image": 116}
        status, output = idr(*arguments)
        assert (status, output.splitlines()[-1].partition(" in ")[0]) == (
            0,
            "1 screens, 0 projects, 1 plates, 0 datasets, 116 images",
        )
        assert "/webclient/img_detail/400/" in stub.asked
        assert "/webclient/img_detail/300/" not in stub.asked
        # Another import is another run.
        report.write_text(json.dumps({"made": ["Image:300"]}))
        assert "is of http" in idr(*arguments)[1]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[]", "no report of an import"),
        ('{"made": []}', "has created no objects"),
        ('{"made": ["Well:1"]}', "not an object"),
    ],
)
def test_a_report_that_is_none_is_refused(tmp_path: Path, content: str, why: str) -> None:
    report = tmp_path / "report.json"
    report.write_text(content)
    status, output = idr("--url", "http://127.0.0.1:9", "--only", str(report))
    assert status == 2
    assert why in " ".join(output.split())


def test_the_exit_status_says_that_something_failed(tmp_path: Path) -> None:
    stub = Stub(images=20)
    stub.broken.add("/webgateway/render_thumbnail/7/")
    with served(stub) as url:
        status, output = idr("--url", url, "--state", str(tmp_path / "state"))
    assert status == 1
    assert f"{tmp_path}/state.failed" in output.replace("\n", "")


def test_where_users_log_in_there_is_nothing_to_warm(tmp_path: Path) -> None:
    class Private(Stub):
        async def answer(self, path: str) -> tuple[int, bytes]:
            return (403, b'{"message": "Not logged in"}') if path.startswith("/api/") else await super().answer(path)

    with served(Private(images=20)) as url:
        status, output = idr("--url", url, "--state", str(tmp_path / "state"))
    assert status == 2
    assert "nothing to warm" in " ".join(output.split())


def test_the_exit_status_says_that_the_release_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DELAYS", ())
    status, output = idr("--url", "http://127.0.0.1:9", "--state", str(tmp_path / "state"))
    assert status == 75
    assert "error: http://127.0.0.1:9" in output


@pytest.mark.parametrize("wrong", [("--url", "proxy"), ("--url", "https://proxy", "--ca-file", "/no/such/file")])
def test_wrong_usage_is_distinguished(wrong: tuple[str, ...]) -> None:
    status, output = idr(*wrong)
    assert status == 2
    assert wrong[-2] in output
