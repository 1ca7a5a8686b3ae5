"""`idr pin` against a server on loopback: what it writes, what it leaves, what it refuses."""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from model import addons
from model.addons import SERVER, WEB
from tests.omero_stand_in.distribution import served

runner = CliRunner()
FILES = {
    "server.zip": b"a server",
    "ice.tar.gz": b"Ice",
    "ice.whl": b"a wheel",
    "a.jar": b"a jar",
    "b.jar": b"another",
    "site.tar.gz": b"a site",
}
PARTS = dict(zip(("server", "ice", "icePython"), FILES.values(), strict=False))
SUMS = {part: hashlib.sha256(content).hexdigest() for part, content in PARTS.items()}
OTHERS = {name: hashlib.sha256(FILES[name]).hexdigest() for name in ("a.jar", "b.jar", "site.tar.gz")}
OLD = "0" * 64


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    """A web server with the files."""
    folder = tmp_path / "web"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    with served(folder, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def stack(tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack file in an operator's own hand."""
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(
        "# ours\nconfig:\n  idr:live: a\n  idr:omero:  # from OME\n    distribution: official\n"
        f"    server:\n      url: {base}/server.zip  # the newest\n"
        f"    ice: {{url: '{base}/ice.tar.gz'}}\n"
        f'    icePython:\n      sha256: {OLD}\n      url: "{base}/ice.whl"\n  idr:zone: b\n'
    )
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    return file


def test_sums_are_written_beside_their_urls_and_nothing_else_changes(stack: Path) -> None:
    before = stack.read_text().splitlines()
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew", "--json"])
    assert done.exit_code == 0, done.output
    omero = yaml.safe_load(stack.read_text())["config"]["idr:omero"]
    assert {part: omero[part]["sha256"] for part in SUMS} == SUMS
    after = stack.read_text().splitlines()
    assert [line for line in before if "sha256" not in line and "ice:" not in line] == [
        line for line in after if "sha256" not in line
    ]


BY_HAND = """\
# ours

config:
  idr:zone: "b"   # the second
  idr:omero:  # from OME
    distribution: official
    server:
        url: {base}/server.zip  # the newest

    # Ice: a build of our own
    ice:
      url: {base}/ice.tar.gz
      # who asked for it

    icePython: {url: '{base}/ice.whl'}  # a wheel
  # who may log in
  idr:operators:
  - {name: b,   key: ssh-ed25519 BBBB}

  - name: a
  idr:number: 010
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_of_a_file_written_by_hand_every_character_stays(stack: Path, base: str, newline: str) -> None:
    before = BY_HAND.replace("{base}", base).replace("\n", newline)
    stack.write_bytes(before.encode())
    done = runner.invoke(app, ["pin", "--stack", "mine"])
    assert done.exit_code == 0, done.output
    after = stack.read_bytes().decode()
    omero = yaml.safe_load(after)["config"]["idr:omero"]
    assert {part: omero[part]["sha256"] for part in SUMS} == SUMS
    without = after.replace(f", sha256: {SUMS['icePython']}", "")
    for indent, part in ((8, "server"), (6, "ice")):
        without = without.replace(f"{' ' * indent}sha256: {SUMS[part]}{newline}", "")
    assert without == before


def test_another_sum_than_the_pinned_one_is_refused_by_name(stack: Path) -> None:
    before = stack.read_text()
    done = runner.invoke(app, ["pin", "--stack", "mine"])
    assert done.exit_code == 1
    assert "error: idr:omero.icePython: " in done.stderr
    assert f"has SHA-256 {SUMS['icePython']}, Pulumi.mine.yaml says {OLD}" in done.stderr
    assert stack.read_text() == before


def test_a_second_time_changes_nothing(stack: Path) -> None:
    runner.invoke(app, ["pin", "--stack", "mine", "--renew"])
    before = stack.read_text()
    assert runner.invoke(app, ["pin", "--stack", "mine"]).exit_code == 0
    assert stack.read_text() == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("http://127.0.0.1:9/server.zip", "cannot fetch http://127.0.0.1:9/server.zip: "),
        ("{base}/no-such.zip", "/no-such.zip answers 404. Nothing was written"),
    ],
)
def test_what_cannot_be_fetched_is_one_line_and_writes_nothing(stack: Path, base: str, change: str, error: str) -> None:
    stack.write_text(stack.read_text().replace(f"{base}/server.zip", change.format(base=base)))
    before = stack.read_text()
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew"])
    assert done.exit_code == 1
    assert done.stderr.count("error: ") == 1
    assert error in done.stderr
    assert stack.read_text() == before


def test_a_stack_of_the_demo_distribution_has_nothing_to_pin(stack: Path) -> None:
    stack.write_text("config:\n  idr:omero: {distribution: demo}\n")
    done = runner.invoke(app, ["pin", "--stack", "mine"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "idr:omero.server.url is not in the stack file" in done.stderr


MORE = """\
    jars:
      - url: {base}/a.jar  # a reader
        client: true
      - {url: "{base}/b.jar", name: c.jar}
  idr:site:
    pages:
      url: {base}/site.tar.gz
"""


def test_jars_and_the_static_site_are_pinned_too(stack: Path, base: str) -> None:
    omero = BY_HAND.partition("  # who may log in")[0]
    before = (omero + MORE).replace("{base}", base)
    stack.write_text(before)
    done = runner.invoke(app, ["pin", "--stack", "mine", "--json"])
    assert done.exit_code == 0, done.output
    after = stack.read_text()
    config = yaml.safe_load(after)["config"]
    sums = [jar["sha256"] for jar in config["idr:omero"]["jars"]] + [config["idr:site"]["pages"]["sha256"]]
    assert sums == list(OTHERS.values())
    result = json.loads(done.stdout)
    assert [result[setting] for setting in ("omero.jars.0", "omero.jars.1", "site.pages")] == sums
    assert [line for line in after.splitlines() if "sha256" not in line] == [
        line for line in before.splitlines() if "b.jar" not in line and "a wheel" not in line
    ]


def test_a_site_of_the_demo_distribution_is_pinned_alone(stack: Path, base: str) -> None:
    stack.write_text(f"config:\n  idr:omero: {{distribution: demo}}\n  site: {{pages: {{url: {base}/site.tar.gz}}}}\n")
    done = runner.invoke(app, ["pin", "--stack", "mine"])
    assert (done.exit_code, done.stdout.split()) == (0, ["site.pages", OTHERS["site.tar.gz"]]), done.output


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of PyPI a folder of wheels: two versions of a package, which needs one that OMERO.server has."""
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
    match = re.search(rf"^{name}==(\S+)", SERVER.lock.read_text(), re.M)
    assert match
    return match[1]


def with_addons(stack: Path, wanted: str, lock: str = "site/omero.lock") -> Path:
    """The stack file with packages of its own; returns where their lock file is to be."""
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
    pins = re.findall(r"^\S+==\S+", lock.read_text(), re.M)
    # What OMERO.server has already, in its version.
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
    own = re.search(r"^requests==(\S+)", WEB.lock.read_text(), re.M)
    assert own
    assert re.findall(r"^\S+==\S+", lock.read_text(), re.M) == ["idr-addon==1.1", f"requests=={own[1]}"]


@pytest.mark.usefixtures("index")
def test_another_version_of_an_application_is_locked_and_of_nothing_else(stack: Path) -> None:
    stack.write_text(stack.read_text().replace("config:\n", "config:\n  idr:web: {requirements: site/web.lock}\n"))
    (stack.parent / "site").mkdir()
    wanted = stack.parent / "site" / "web.in"
    wanted.write_text("omero_mapr==0.9.0\nidr-addon\n")
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew"])
    assert done.exit_code == 0, done.output
    own = re.search(r"^requests==(\S+)", WEB.lock.read_text(), re.M)
    assert own
    text = wanted.with_suffix(".lock").read_text()
    assert re.findall(r"^\S+==\S+", text, re.M) == ["idr-addon==1.1", "omero-mapr==0.9.0", f"requests=={own[1]}"]
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
@pytest.mark.parametrize(
    ("wanted", "lock", "error"),
    [
        ("idr-addon==2\n", "site/omero.lock", "idr:omero.addons: omero.in: "),
        ("requests==1.0\n", "site/omero.lock", "idr:omero.addons: omero.in: No solution found when resolving"),
        ("idr-addon\n", "site/other.lock", "idr:omero.addons: other.in is not beside other.lock"),
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
