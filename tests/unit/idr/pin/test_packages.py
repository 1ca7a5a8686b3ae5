"""`idr pin` locks Python packages beside OMERO.server's and OMERO.web's own."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from model import addons
from model.addons import SERVER, WEB
from tests.unit.idr.pin.downloads import OLD

runner = CliRunner()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a folder of wheels instead of PyPI: two versions of a package, which needs one that OMERO.server has."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    needed = {"idr-addon": "Requires-Dist: requests\n", "requests": "", "omero-mapr": ""}
    wheels = [
        ("idr-addon", "1.0"),
        ("idr-addon", "1.1"),
        ("requests", own_version("requests")),
        ("omero-mapr", "0.9.0"),
    ]
    for name, version in wheels:
        stem = f"{name.replace('-', '_')}-{version}"
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed[name]}"
            wheel.writestr(f"{stem}.dist-info/METADATA", about)
            wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{stem}.dist-info/RECORD", "")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))


def own_version(name: str) -> str:
    match = re.search(rf"^{name}==(\S+)", SERVER.lock.read_text(), re.MULTILINE)
    assert match
    return match[1]


def with_addons(stack: Path, wanted: str, lock: str = "site/omero.lock") -> Path:
    """Write a stack file with packages of its own; return the path of their lock file."""
    stack.write_text(stack.read_text().replace("distribution: official", f"distribution: official\n    addons: {lock}"))
    (stack.parent / "site").mkdir()
    (stack.parent / "site" / "omero.in").write_text(wanted)
    return stack.parent / lock


@pytest.mark.usefixtures("index")
def test_packages_of_python_are_locked_beside_the_stack_file(stack: Path) -> None:
    lock = with_addons(stack, "idr-addon<1.1\n")
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["omero.addons"] == hashlib.sha256(lock.read_bytes()).hexdigest()
    assert addons.read(SERVER, "site/omero.lock", stack.parent).text == lock.read_text()
    pins = re.findall(r"^\S+==\S+", lock.read_text(), re.MULTILINE)
    # OMERO.server already has this one, in its version.
    assert pins == ["idr-addon==1.0", f"requests=={own_version('requests')}"]
    assert str(stack.parent) not in lock.read_text()
    assert str(stacks.ROOT) not in lock.read_text()


@pytest.mark.usefixtures("index")
def test_packages_beside_omero_web_are_locked_with_its_own_versions(stack: Path) -> None:
    stack_file = "config:\n  idr:web: {requirements: site/web.lock}\n"
    stack.write_text(stack.read_text().replace("config:\n", stack_file))
    (stack.parent / "site").mkdir()
    (stack.parent / "site" / "web.in").write_text("idr-addon\n")
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew", "--json"])
    assert done.exit_code == 0, done.output
    lock = stack.parent / "site" / "web.lock"
    assert json.loads(done.stdout)["web.requirements"] == hashlib.sha256(lock.read_bytes()).hexdigest()
    assert addons.read(WEB, "site/web.lock", stack.parent).text == lock.read_text()
    own = re.search(r"^requests==(\S+)", WEB.lock.read_text(), re.MULTILINE)
    assert own
    assert re.findall(r"^\S+==\S+", lock.read_text(), re.MULTILINE) == ["idr-addon==1.1", f"requests=={own[1]}"]


@pytest.mark.usefixtures("index")
def test_another_version_of_an_application_is_locked_and_of_nothing_else(stack: Path) -> None:
    stack.write_text(stack.read_text().replace("config:\n", "config:\n  idr:web: {requirements: site/web.lock}\n"))
    (stack.parent / "site").mkdir()
    wanted = stack.parent / "site" / "web.in"
    wanted.write_text("omero_mapr==0.9.0\nidr-addon\n")
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew"])
    assert done.exit_code == 0, done.output
    own = re.search(r"^requests==(\S+)", WEB.lock.read_text(), re.MULTILINE)
    assert own
    text = wanted.with_suffix(".lock").read_text()
    assert re.findall(r"^\S+==\S+", text, re.MULTILINE) == [
        "idr-addon==1.1",
        "omero-mapr==0.9.0",
        f"requests=={own[1]}",
    ]
    assert "-c web/requirements.lock" in text
    wanted.write_text("omero-mapr==0.9.0\nrequests==1.0\n")
    assert runner.invoke(app, ["pin", "--stack", "mine", "--renew"]).exit_code == 1


@pytest.mark.usefixtures("index")
def test_a_locked_version_stays_until_it_is_renewed(stack: Path) -> None:
    lock = with_addons(stack, "idr-addon<1.1\n")
    assert runner.invoke(app, ["pin", "--stack", "mine", "--renew"]).exit_code == 0
    (stack.parent / "site" / "omero.in").write_text("idr-addon\n")
    assert runner.invoke(app, ["pin", "--stack", "mine"]).exit_code == 0
    assert "idr-addon==1.0 " in lock.read_text()
    assert runner.invoke(app, ["pin", "--stack", "mine", "--renew"]).exit_code == 0
    assert "idr-addon==1.1 " in lock.read_text()


@pytest.mark.usefixtures("index")
def test_a_lock_with_a_package_twice_is_written_anew(stack: Path) -> None:
    lock = with_addons(stack, "idr-addon\n")
    twice = "".join(f"idr-addon=={version} --hash=sha256:{OLD}\n" for version in ("1.0", "1.1"))
    lock.write_text(twice)
    assert runner.invoke(app, ["pin", "--stack", "mine", "--renew"]).exit_code == 0
    assert addons.read(SERVER, "site/omero.lock", stack.parent).text.count("idr-addon==") == 1


@pytest.mark.usefixtures("index")
def test_packages_that_the_overrides_name_are_locked_too(stack: Path) -> None:
    stack.write_text(stack.read_text().replace("config:\n", "config:\n  idr:overrides: site.yaml\n"))
    (stack.parent / "site.yaml").write_text("web: {requirements: site/web.lock}\n")
    (stack.parent / "site").mkdir()
    (stack.parent / "site" / "web.in").write_text("idr-addon\n")
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew"])
    assert (done.exit_code, done.stderr.strip()) == (0, "")
    assert "idr-addon==1.1" in (stack.parent / "site" / "web.lock").read_text()


@pytest.mark.parametrize("text", [None, "web: [", "web: {requirements: null}\n", "- web\n"])
def test_overrides_without_packages_change_nothing(stack: Path, text: str | None) -> None:
    stack.write_text(stack.read_text().replace("config:\n", "config:\n  idr:overrides: site.yaml\n"))
    if text is not None:
        (stack.parent / "site.yaml").write_text(text)
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew", "--json"])
    assert done.exit_code == 0, done.output
    assert "web.requirements" not in done.stdout


@pytest.mark.usefixtures("index")
def test_packages_are_locked_without_the_archives(stack: Path) -> None:
    lock = with_addons(stack, "idr-addon\n")
    before = stack.read_text().replace("/server.zip", "/no-such.zip")
    stack.write_text(before)
    done = runner.invoke(app, ["pin", "--stack", "mine", "--packages", "--json"])
    assert done.exit_code == 0, done.output
    assert list(json.loads(done.stdout)) == ["omero.addons"]
    assert "idr-addon==1.1" in lock.read_text()
    assert stack.read_text() == before


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("wanted", "lock", "error"),
    [
        ("idr-addon==2\n", "site/omero.lock", "idr:omero.addons: omero.in: "),
        ("requests==1.0\n", "site/omero.lock", "idr:omero.addons: omero.in: No solution found when resolving"),
        ("requests==1.0\n", "site/omero.lock", "OMERO.server's own packages keep their versions. Nothing was written"),
        ("idr-addon\n", "site/other.lock", "idr:omero.addons: there is no "),
        ("idr-addon\n", "site/other.lock", "site/other.in: name the packages in it, one a line"),
        ("# idr-addon\n\n", "site/omero.lock", "site/omero.in names no package: write one a line"),
        ("idr-addon\n", "site/omero.in", "idr:omero.addons: must be a file of the checkout, as in site/name.lock"),
        ("idr-addon\n", "../omero.lock", "idr:omero.addons: must be a file of the checkout"),
    ],
)
def test_packages_that_cannot_be_locked_are_one_message_and_nothing_is_written(
    stack: Path, wanted: str, lock: str, error: str
) -> None:
    with_addons(stack, wanted, lock)
    before = stack.read_text()
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew"])
    assert (done.exit_code, done.stderr.count("error: ")) == (1, 1)
    assert error in done.stderr
    assert stack.read_text() == before
    assert not list(stack.parent.glob("**/*.lock"))
    assert (stack.parent / "site" / "omero.in").read_text() == wanted
