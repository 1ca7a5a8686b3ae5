"""`idr pin` with a server on loopback: what it writes, leaves and refuses."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from idr.__main__ import app
from tests.unit.idr.pin.downloads import OLD, OTHERS, SUMS

runner = CliRunner()


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


ABOVE = """\
# of this site
omero:
  server:
    url: {base}/a.jar  # a build of our own
  jars: [{url: {base}/b.jar}]
site:
  pages: {url: {base}/site.tar.gz}
"""


def test_a_sum_is_written_into_the_file_that_says_the_url(stack: Path, base: str) -> None:
    before = stack.read_text().replace("config:\n", "config:\n  idr:overrides: site.yaml\n")
    before = before.replace("/server.zip", "/no-such.zip")
    stack.write_text(before)
    above = stack.parent / "site.yaml"
    above.write_text(ABOVE.replace("{base}", base))
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew", "--json"])
    assert done.exit_code == 0, done.output
    wanted = {"omero.server": "a.jar", "omero.jars.0": "b.jar", "site.pages": "site.tar.gz"}
    sums = json.loads(done.stdout)
    assert {name: sums[name] for name in wanted} == {name: OTHERS[file] for name, file in wanted.items()}
    told = yaml.safe_load(above.read_text())
    assert told["omero"]["server"]["sha256"] == OTHERS["a.jar"]
    assert told["omero"]["jars"] == [{"url": f"{base}/b.jar", "sha256": OTHERS["b.jar"]}]
    assert told["site"]["pages"]["sha256"] == OTHERS["site.tar.gz"]
    assert above.read_text().startswith("# of this site\n")
    below = yaml.safe_load(stack.read_text())["config"]["idr:omero"]
    assert below["server"] == {"url": f"{base}/no-such.zip"}
    assert {part: below[part]["sha256"] for part in ("ice", "icePython")} == {
        part: SUMS[part] for part in ("ice", "icePython")
    }


def test_what_overrides_take_away_is_not_fetched(stack: Path, base: str) -> None:
    text = stack.read_text().replace("config:\n", "config:\n  idr:overrides: site.yaml\n")
    stack.write_text(f"{text}  idr:site: {{pages: {{url: {base}/no-such.gz}}}}\n")
    (stack.parent / "site.yaml").write_text("site: {pages: null}\n")
    done = runner.invoke(app, ["pin", "--stack", "mine", "--renew", "--json"])
    assert done.exit_code == 0, done.output
    assert sorted(json.loads(done.stdout)) == ["omero.ice", "omero.icePython", "omero.server"]


def test_no_sum_is_written_through_a_link(stack: Path, base: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    stack.write_text(stack.read_text().replace("config:\n", "config:\n  idr:overrides: site.yaml\n"))
    other = tmp_path_factory.mktemp("other") / "site.yaml"
    other.write_text(ABOVE.replace("{base}", base))
    (stack.parent / "site.yaml").symlink_to(other)
    assert runner.invoke(app, ["pin", "--stack", "mine", "--renew"]).exit_code == 0
    assert "sha256" not in other.read_text()
