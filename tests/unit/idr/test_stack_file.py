"""Stack files read without the engine."""

import json
from pathlib import Path

import pytest

from harness import stacks
from idr import stack_file
from idr.errors import IdrError
from model.plan import Plan
from model.reading import SettingsError

SECRET = "0123456789abcdef" * 2 + "of a test"
WITH_SEALED = "  idr:stackSecret:\n    secure: v1:abc\n"


def local(folder: Path, more: str = WITH_SEALED) -> Path:
    (folder / "Pulumi.local.yaml").write_text(stacks.STACK_FILES["local"].read_text() + more)
    return folder


def test_the_plan_is_that_of_the_file(tmp_path: Path) -> None:
    settings = stack_file.read("local", local(tmp_path))
    assert isinstance(settings.plan, Plan)
    assert settings.plan == stacks.plan_of("local")
    assert settings.missing() == []


def test_what_only_an_operator_knows_is_named() -> None:
    missing = stack_file.read("ebi", stacks.ROOT).missing()
    assert "Pulumi.ebi.yaml: idr:image: is not set yet; only an operator of this cloud knows it" in missing
    assert "Pulumi.ebi.yaml: idr:omero.ice.sha256: is not set yet; `idr pin` finds it" in missing


def test_a_secret_in_plain_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="idr:stackSecret"):
        stack_file.read("local", local(tmp_path, f"  idr:stackSecret: {'x' * 40}\n"))


def test_the_engine_is_asked_only_where_the_clouds_settings_are_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = stack_file.read("local", local(tmp_path))
    assert plain.provider_setting("authUrl") == "http://198.51.100.1:5000/v3"
    monkeypatch.setattr("idr.engine.config", lambda stack: {"openstack:password": f"of {stack}"})
    sealed = stack_file.read("local", local(tmp_path, "  openstack:password: {secure: v1:abc}\n"))
    assert sealed.provider_setting("password") == "of local"


def test_with_secrets_opened_everything_is_as_the_engine_hands_it_to_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {f"idr:{key}": value for key, value in stacks.values("local").items()}
    values["idr:stackSecret"] = SECRET
    # As JSON of a Go map: keys sorted.
    monkeypatch.setattr("idr.engine.config", lambda _: json.loads(json.dumps(values, sort_keys=True)))
    settings = stack_file.read("local", local(tmp_path), opened=True)
    assert settings.secrets().stack_secret == SECRET
    assert settings.plan.releases == stacks.plan_of("local").releases


def test_a_name_without_namespace_is_the_projects_own(tmp_path: Path) -> None:
    file = local(tmp_path) / "Pulumi.local.yaml"
    file.write_text(file.read_text().replace("idr:live:", "live:"))
    assert stack_file.read("local", tmp_path).settings.live == "demo1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no Pulumi.local.yaml; stacks with a file: "),
        ("config: [", "Pulumi.local.yaml: line 1: expected the node content"),
        ("{}", "Pulumi.local.yaml: has no `config:`"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "Pulumi.local.yaml").write_text(text)
    with pytest.raises(IdrError) as caught:
        stack_file.read("local", tmp_path)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("stack", "command"), [("local", "make up"), ("mine", "bin/idr init -s mine")])
def test_a_missing_stack_file_comes_with_the_command_that_creates_it(tmp_path: Path, stack: str, command: str) -> None:
    with pytest.raises(IdrError, match=rf"^there is no Pulumi.{stack}.yaml; .* To create it: {command}$"):
        stack_file.read(stack, tmp_path)
