"""The engine as `idr` runs it."""

import json
from pathlib import Path

import pytest

from harness import stacks
from idr import engine
from idr.engine import EngineError
from tests import stubs
from tests.stubs import Stub


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    return stubs.put(tmp_path, monkeypatch, "pulumi")


def test_it_is_run_in_the_projects_folder_and_asks_nothing(pulumi: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CONFIRMATIONS", "true")
    pulumi.answers((0, "printed\n", ""))
    assert engine.run("preview", "--stack", "uod") == "printed\n"
    call = pulumi.calls[0]
    assert (call.folder, call.input) == (str(stacks.ROOT), "")
    assert call.arguments == ["--non-interactive", "--color", "never", "preview", "--stack", "uod"]
    assert "PULUMI_SKIP_CONFIRMATIONS" not in call.environment


def test_a_secret_goes_in_on_standard_input(pulumi: Stub) -> None:
    engine.run("config", "set", "--secret", "idr:stackSecret", text_input="hidden")
    assert pulumi.calls[0].input == "hidden"
    assert "hidden" not in pulumi.calls[0].arguments


@pytest.mark.parametrize(
    ("out", "err", "message"),
    [("", "warning\nerror: no stack 'x'\n", "error: no stack 'x'"), ("only this\n", "", "only this")],
)
def test_a_failure_is_shown_with_the_engines_own_words(pulumi: Stub, out: str, err: str, message: str) -> None:
    pulumi.answers((255, out, err))
    with pytest.raises(EngineError, match="pulumi stack failed") as failed:
        engine.run("stack", "select")
    assert message in str(failed.value)
    assert engine.attempt("stack", "select").returncode == 255


def test_without_the_engine_the_message_has_the_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="make toolchain"):
        engine.attempt("version")


def test_outputs_of_a_stack_that_was_never_up_are_an_error(pulumi: Stub) -> None:
    pulumi.answers((0, json.dumps({"contract": 1}), ""), (0, "{}", ""))
    assert engine.outputs("uod") == {"contract": 1}
    with pytest.raises(EngineError, match="stack 'uod' has no outputs yet; run: pulumi up -s uod"):
        engine.outputs("uod")
    assert pulumi.calls[0].arguments[3:] == ["stack", "output", "--stack", "uod", "--json"]


def test_settings_are_read_with_their_secrets_and_objects(pulumi: Stub) -> None:
    pulumi.answers(
        (
            0,
            json.dumps(
                {
                    "idr:stackSecret": {"value": "hidden", "secret": True},
                    "idr:flavors": {"value": '{"a":{}}', "objectValue": {"a": {}}, "secret": False},
                }
            ),
            "",
        )
    )
    assert engine.config("uod") == {"idr:stackSecret": "hidden", "idr:flavors": {"a": {}}}
    assert "--show-secrets" in pulumi.calls[0].arguments
