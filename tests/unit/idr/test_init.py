"""`idr init`: what it chooses, what it writes, and that a mistake writes nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from idr.__main__ import app
from idr.engine import EngineError
from idr.init import choose
from idr.init.compose import LAYOUTS, Choices, compose, layout_flavors
from model.planning import plan
from model.reading import Source, parse
from model.release_settings import Flavor

runner = CliRunner()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDSUk6ZgYr/l69z12n1tAyq0fkA8siBmQLE9bKlf6pCH operator"
THERE = {
    "small": Flavor(vcpus=4, memory_mib=16384),
    "large": Flavor(vcpus=8, memory_mib=32768),
    "huge": Flavor(vcpus=32, memory_mib=131072),
}
IMAGES = {"Debian-12-bookworm", "ubuntu-24.04-server", "rocky-9"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, a cloud with the things above, and an engine that only notes what it is told."""
    (tmp_path / "key.pub").write_text(KEY + "\n")
    monkeypatch.setattr("idr.init.command.PROJECT", tmp_path)
    monkeypatch.setattr("idr.init.command.connect", lambda _: None)
    monkeypatch.setattr("idr.init.command._there", lambda _: (IMAGES, {"public"}, THERE))
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr("idr.engine.run", lambda *arguments, **_: told.append(arguments))
    return tmp_path


def init(place: Path, *arguments: str) -> Any:
    return runner.invoke(
        app, ["init", "-s", "lab", "--cloud", "lab", "--operator-key", str(place / "key.pub"), *arguments]
    )


def test_what_fits_is_found_and_the_file_is_valid(place: Path) -> None:
    done = init(place)
    assert done.exit_code == 0, done.stderr
    config = yaml.safe_load((place / "Pulumi.lab.yaml").read_text())["config"]
    assert config["openstack:cloud"] == "lab"
    assert (config["idr:image"], config["idr:omeroImage"]) == ("Debian-12-bookworm", "ubuntu-24.04-server")
    assert (config["idr:externalNetwork"], config["idr:operators"]) == ("public", [KEY])
    assert config["idr:releases"]["prod130"]["nodes"]["omeroreadwrite"]["flavor"] == "huge"
    assert config["idr:flavors"]["large"] == {"vcpus": 8, "memoryMib": 32768}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_a_plan_and_a_comment_on_what_to_fill_in(layout: str) -> None:
    wanted = layout_flavors(layout)
    text = compose(
        Choices(
            stack="lab",
            layout=layout,
            provider={"cloud": "lab"},
            image="debian",
            omero_image="ubuntu",
            external_network="public",
            operators=(KEY,),
            flavors=choose.flavors(wanted, {}, THERE),
            there=THERE,
        )
    )
    config = yaml.safe_load(text)["config"]
    mine = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
    made = plan(parse(mine, Source("lab", "Pulumi.lab.yaml")), "lab")
    assert {node.flavor_name for node in made.nodes} <= set(THERE)
    assert "# OPERATOR" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--image", "windows"), "--image 'windows' is not there; this cloud has: Debian-12-bookworm"),
        (("--external-network", "x"), "--external-network 'x' is not there; this cloud has: public"),
        (("--flavor", "m1.large=none"), "--flavor m1.large=none: this cloud has: huge, large, small"),
        (("--flavor", "m9=large"), "--flavor m9=...: the layout uses m1.medium, m1.large, m1.xlarge"),
        (("--operator-key", "/nonexistent"), "--operator-key /nonexistent: No such file or directory"),
    ],
)
def test_a_mistake_writes_nothing_and_says_what_there_is(place: Path, arguments: tuple[str, ...], message: str) -> None:
    done = init(place, *arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert not (place / "Pulumi.lab.yaml").exists()


def test_an_operators_key_that_is_none_writes_nothing(place: Path) -> None:
    (place / "key.pub").write_text("not a key")
    done = init(place)
    assert (done.exit_code, "idr:operators.0" in done.stderr) == (1, True)
    assert not (place / "Pulumi.lab.yaml").exists()


def test_where_several_would_do_and_nobody_can_be_asked_it_names_the_option(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idr.init.command._there", lambda _: (IMAGES | {"debian-12-old"}, {"public"}, THERE))
    done = init(place)
    assert done.exit_code == 1
    assert "give --image" in done.stderr
    assert "Debian-12-bookworm, debian-12-old" in done.stderr


def test_on_a_terminal_it_asks_until_the_answer_is_one_of_them(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr.init.command._there", lambda _: (IMAGES | {"debian-12-old"}, {"public"}, THERE))
    monkeypatch.setattr("idr.init.command._at_a_terminal", lambda: True)
    command = ["init", "-s", "lab", "--cloud", "lab", "--operator-key", str(place / "key.pub")]
    done = runner.invoke(app, command, input="9\n2\n")
    assert done.exit_code == 0, done.output
    assert yaml.safe_load((place / "Pulumi.lab.yaml").read_text())["config"]["idr:image"] == "debian-12-old"


def test_a_file_that_is_there_is_never_overwritten(place: Path) -> None:
    (place / "Pulumi.lab.yaml").write_text("mine")
    assert init(place).exit_code == 1
    assert (place / "Pulumi.lab.yaml").read_text() == "mine"


def test_when_the_engine_refuses_no_file_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str, **__: str) -> str:
        msg = "pulumi stack failed: no backend"
        raise EngineError(msg)

    monkeypatch.setattr("idr.engine.run", refuse)
    done = init(place)
    assert (done.exit_code, done.stderr) == (1, "error: pulumi stack failed: no backend\n")
    assert not (place / "Pulumi.lab.yaml").exists()


def test_wrong_usage_is_exit_status_2(place: Path) -> None:
    assert init(place, "--layout", "none").exit_code == 2
    assert init(place, "--flavor", "m1.large").exit_code == 2
