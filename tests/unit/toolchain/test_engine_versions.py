"""Setting versions of the toolchain: refused values, and written files."""

import subprocess
from pathlib import Path

import pytest

from dev import engine_versions


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "no version given"),
        (["pulumi=3.260.0"], "'pulumi=3.260.0' is not NAME==MAJOR.MINOR.PATCH"),
        (["terraform==1.2.3"], "'terraform==1.2.3' is not NAME==.* with one of the names pulumi, "),
        (["pulumi-openstack==5.6.0"], "provider/go.mod of github.com/pulumi/pulumi-openstack at v5.6.0"),
    ],
)
def test_what_cannot_be_taken_is_refused(arguments: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        engine_versions.parse(arguments)


def test_package_and_modules_get_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    project = tmp_path / "pyproject.toml"
    project.write_text((engine_versions.ROOT / "pyproject.toml").read_text())
    monkeypatch.setattr(engine_versions, "ROOT", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    engine_versions.upgrade({"pulumi": "9.8.7", "terraform-provider-openstack": "9.1.2"})
    assert '"pulumi==9.8.7", "pulumi-openstack==' in project.read_text()
    edit, add, *locks = commands
    assert edit[:3] == ["go", "mod", "edit"]
    assert sorted(edit[3:]) == [
        "-require=github.com/pulumi/pulumi/pkg/v3@v9.8.7",
        "-require=github.com/pulumi/pulumi/sdk/v3@v9.8.7",
        "-require=github.com/terraform-provider-openstack/terraform-provider-openstack/v3@v9.1.2",
    ]
    assert add[:3] == ["go", "list", "-mod=mod"]
    assert [command[-1] for command in locks] == ["requirements-idr.lock", "requirements.lock", "requirements-dev.lock"]


@pytest.mark.parametrize("module", [module for modules in engine_versions.MODULES.values() for module in modules])
def test_each_module_is_one_that_the_toolchain_requires(module: str) -> None:
    """`go mod edit` adds every module that it gets."""
    assert f"\t{module} v" in (engine_versions.TOOLCHAIN / "go.mod").read_text()


def test_a_requirement_without_a_version_is_named() -> None:
    with pytest.raises(ValueError, match=r"pyproject\.toml has 0 requirements pulumi==VERSION"):
        engine_versions.set_packages('program = ["pulumi>=3"]', {"pulumi": "3.260.0"})
