"""`idr init`: what it chooses and writes, and that it writes nothing after a mistake."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from harness import stacks
from idr.__main__ import app
from idr.engine import EngineError
from idr.init import choose, command, passphrase
from idr.init.compose import Choices, _flow, compose, layout_flavors, layouts
from idr.init.sizes import Size, size, sizes
from model import yaml_text
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
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prepare an empty project, a cloud with the objects above, and an engine that only records its commands."""
    (tmp_path / "key.pub").write_text(KEY + "\n")
    monkeypatch.setattr("idr.checkout.stack_file", lambda stack: tmp_path / f"Pulumi.{stack}.yaml")
    monkeypatch.setattr("idr.init.passphrase.FOLDER", tmp_path / "config")
    for name in passphrase.VARIABLES:
        monkeypatch.delenv(name, raising=False)
        # The environment that `init` sets disappears with the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("idr.init.command.connect", lambda _: None)
    monkeypatch.setattr("idr.init.command._offer", lambda _: (IMAGES, {"public"}, THERE))
    monkeypatch.setattr("idr.init.command._free", lambda _: {})
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr("idr.engine.run", lambda *arguments, **_: commands.append(arguments))
    return tmp_path


def init(folder: Path, *arguments: str) -> Any:
    return runner.invoke(
        app, ["init", "-s", "lab", "--cloud", "lab", "--operator-key", str(folder / "key.pub"), *arguments]
    )


def test_what_fits_is_found_and_the_file_is_valid(folder: Path) -> None:
    done = init(folder)
    assert done.exit_code == 0, done.stderr
    config = yaml.safe_load((folder / "Pulumi.lab.yaml").read_text())["config"]
    assert config["openstack:cloud"] == "lab"
    assert (config["idr:image"], config["idr:omeroImage"]) == ("Debian-12-bookworm", "ubuntu-24.04-server")
    assert (config["idr:externalNetwork"], config["idr:operators"]) == ("public", [KEY])
    assert config["idr:releases"]["prod130"]["nodes"]["omeroreadwrite"]["flavor"] == "huge"
    assert config["idr:flavors"]["large"] == {"vcpus": 8, "memoryMib": 32768}


def test_an_editor_finds_the_schema_of_the_file(folder: Path) -> None:
    init(folder)
    first, *_ = (folder / "Pulumi.lab.yaml").read_text().splitlines()
    _, schema = first.split("$schema=")
    assert first.startswith("# yaml-language-server: ")
    assert (stacks.ROOT / schema).is_file()


def test_what_has_no_name_cannot_be_chosen() -> None:
    def named(*names: str | None) -> Callable[..., list[SimpleNamespace]]:
        return lambda **_: [SimpleNamespace(name=name) for name in names]

    cloud: Any = SimpleNamespace(
        image=SimpleNamespace(images=named("debian-12", None)),
        network=SimpleNamespace(networks=named("public", "")),
        compute=SimpleNamespace(flavors=list),
    )
    assert command._offer(cloud) == ({"debian-12"}, {"public"}, {})


@pytest.mark.parametrize("layout", layouts())
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
            cloud_flavors=THERE,
        )
    )
    config = yaml.safe_load(text)["config"]
    mine = {key.removeprefix("idr:"): value for key, value in config.items() if key.startswith("idr:")}
    stack_plan = plan(parse(mine, Source("lab", "Pulumi.lab.yaml")), "lab")
    assert {node.flavor_name for node in stack_plan.nodes} <= set(THERE)
    assert stack_plan.settings.visitors == ("login" if layout == "institute" else "public")
    assert "# OPERATOR" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--image", "windows"), "--image 'windows' does not exist (available: Debian-12-bookworm"),
        (("--external-network", "x"), "--external-network 'x' does not exist (available: public)"),
        (("--flavor", "m1.large=none"), "--flavor m1.large=none: this cloud has: huge, large, small"),
        (("--flavor", "m9=large"), "--flavor m9=...: the layout uses m1.medium, m1.large, m1.xlarge"),
        (("--operator-key", "/nonexistent"), "--operator-key /nonexistent: No such file or directory"),
    ],
)
def test_a_mistake_writes_nothing_and_says_what_there_is(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = init(folder, *arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert not (folder / "Pulumi.lab.yaml").exists()


def test_an_operators_key_that_is_none_writes_nothing(folder: Path) -> None:
    (folder / "key.pub").write_text("not a key")
    done = init(folder)
    assert done.exit_code == 1
    assert "idr:operators.0: must be one line of a public key file" in done.stderr
    assert not (folder / "Pulumi.lab.yaml").exists()


@pytest.mark.parametrize("name", ["08", "1e3", "0o17", "12:48", "on", "2024-01-13", "~", "[EOL] Debian 12", "{x}"])
def test_a_name_of_the_clouds_is_written_so_that_the_engine_reads_it(name: str) -> None:
    assert yaml_text.load(f"a: {_flow(name)}".encode()) == {"a": name}


def test_where_several_would_do_and_nobody_can_be_asked_it_names_the_option(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idr.init.command._offer", lambda _: (IMAGES | {"debian-12-old"}, {"public"}, THERE))
    done = init(folder)
    assert done.exit_code == 1
    assert "give --image: several look like the Debian 12 image: Debian-12-bookworm, debian-12-old" in done.stderr


def test_where_none_fits_it_says_so_and_what_there_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr.init.command._offer", lambda _: ({"debian-12"}, {"public"}, THERE))
    done = init(folder)
    assert "give --omero-image: none looks like the Ubuntu 24.04 image; available: debian-12" in done.stderr


def test_a_private_key_is_refused_and_not_shown(folder: Path) -> None:
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n"
    (folder / "key.pub").write_text(text)
    done = init(folder)
    assert (done.exit_code, "is a private key; give the file with its public key" in done.stderr) == (1, True)
    assert "b3BlbnNzaC1rZXk" not in done.output
    assert not (folder / "Pulumi.lab.yaml").exists()


def test_a_passphrase_is_created_where_none_is_set_and_its_file_is_named(folder: Path) -> None:
    done = init(folder)
    file = folder / "config" / "lab.passphrase"
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"export PULUMI_CONFIG_PASSPHRASE_FILE={file}" in done.stdout
    assert file.read_text() not in done.output
    assert os.environ["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)


def test_a_passphrase_that_is_set_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "words-of-mine")
    done = init(folder)
    assert "The passphrase of PULUMI_CONFIG_PASSPHRASE opens it" in done.stdout
    assert "words-of-mine" not in done.output
    assert not (folder / "config").exists()


def test_the_size_of_a_layout_is_that_of_its_plan() -> None:
    for one in sizes():
        nodes = stacks.plan_of("ebi" if one.layout == "full" else one.layout).nodes
        assert (one.nodes, one.vcpus) == (len(nodes), sum(node.flavor.vcpus for node in nodes))
        assert one.memory_gib == sum(node.flavor.memory_mib for node in nodes) // 1024
        assert one.disk_gib == sum(volume.size_gib for node in nodes for volume in node.volumes)


def test_what_a_project_lacks_for_a_layout_is_named() -> None:
    assert Size("x", 3, 8, 32, 100).shortfalls({"instances": 3, "cores": 4, "ram (MiB)": 1024}) == [
        "8 cores, 4 left",
        "32768 ram (MiB), 1024 left",
    ]


def test_on_a_terminal_it_asks_until_the_answer_is_one_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr.init.command._offer", lambda _: (IMAGES | {"debian-12-old"}, {"public"}, THERE))
    monkeypatch.setattr("idr.init.command._at_a_terminal", lambda: True)
    command = ["init", "-s", "lab", "--cloud", "lab", "--operator-key", str(folder / "key.pub")]
    done = runner.invoke(app, command, input="9\n2\n")
    assert done.exit_code == 0, done.output
    assert yaml.safe_load((folder / "Pulumi.lab.yaml").read_text())["config"]["idr:image"] == "debian-12-old"


def test_a_file_that_is_there_is_never_overwritten(folder: Path) -> None:
    (folder / "Pulumi.lab.yaml").write_text("mine")
    assert init(folder).exit_code == 1
    assert (folder / "Pulumi.lab.yaml").read_text() == "mine"


def test_when_the_engine_refuses_no_file_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str, **__: str) -> str:
        msg = "pulumi stack failed: no backend"
        raise EngineError(msg)

    monkeypatch.setattr("idr.engine.run", refuse)
    done = init(folder)
    assert (done.exit_code, done.stderr) == (1, "error: pulumi stack failed: no backend\n")
    assert not (folder / "Pulumi.lab.yaml").exists()


def test_wrong_usage_is_exit_status_2(folder: Path) -> None:
    assert init(folder, "--layout", "none").exit_code == 2
    assert init(folder, "--flavor", "m1.large").exit_code == 2


def test_a_layout_that_is_too_large_for_the_project_names_those_that_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idr.init.command._free", lambda _: {"instances": 10, "cores": 20, "ram (MiB)": 70_000})
    lines = init(folder).stdout.splitlines()
    assert lines[0].startswith("This project is too small for the layout full: 92 cores, 20 left; ")
    assert lines[1] == f"It has room for: {size('single-node')}."


def test_the_flavors_of_the_cloud_count_where_they_are_larger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr.init.command._free", lambda _: {"cores": 20})
    done = init(folder, "--layout", "single-node", "--flavor", "m1.xlarge=huge")
    assert done.stdout.startswith("This project is too small for the layout single-node: 36 cores, 20 left.")


def test_where_no_layout_fits_it_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr.init.command._free", lambda _: {"instances": 10, "cores": 20, "ram (MiB)": 51_200})
    assert "Ask for a larger quota, or name smaller flavors with --flavor." in init(folder).stdout


def test_who_has_no_key_learns_how_to_make_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    done = runner.invoke(app, ["init", "-s", "lab", "--cloud", "lab"])
    assert done.exit_code == 1
    assert "give the file with your public ssh key; `ssh-keygen -t ed25519` makes ~/.ssh/id_ed25519.pub" in done.stderr
