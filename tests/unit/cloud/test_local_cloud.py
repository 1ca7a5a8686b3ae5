"""The local cloud without a cloud: configuration files, missing programs, the choice of computes."""

from __future__ import annotations

import configparser
import dataclasses
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import openstack
import pytest
import yaml
from typer.testing import CliRunner

from dev.cloud import cli, control, image, kvm, layout, render, seed, services
from dev.cloud.layout import Choice, Kind, State
from dev.cloud.machine import Machine
from dev.cloud.process import CloudError

GOOD = Machine("Linux", root=True, apt=True, memory_mib=16384, free_gib=100, python=(3, 11))
VENV = Path("/venv")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "cloud")


def test_passwords_are_generated_once_and_for_root_only(state: State) -> None:
    first = state.secrets()
    assert state.secrets() == first
    assert len(set(first.values())) == len(layout.SECRETS)
    assert stat.S_IMODE((state.root / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", list(Kind))
def test_every_ini_file_parses(state: State, kind: Kind) -> None:
    files = render.configuration(state, Choice(kind, 2), VENV)
    for path, text in files.items():
        assert "{{" not in text
        if path.suffix == ".conf" and path.stem not in {"rabbitmq", "libvirtd", "qemu", "dnsmasq"}:
            _parsed(text)


def _parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    # OpenStack's reader merges a section that occurs twice.
    parser.read_string(text)
    return parser


def test_written_files_are_for_root_only(state: State) -> None:
    render.write(state, Choice(Kind.CONTAINER, 1), VENV)
    for path in [*(state.root / "etc").iterdir(), state.clouds_yaml]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_clouds_yaml_keeps_member_and_administrator_apart(state: State) -> None:
    text = render.configuration(state, Choice(Kind.NONE, 1), VENV)[state.clouds_yaml]
    clouds = yaml.safe_load(text)["clouds"]
    assert {name: cloud["auth"]["username"] for name, cloud in clouds.items()} == {
        "idr-local": "idr",
        "idr-local-admin": "admin",
    }
    assert clouds["idr-local"]["auth"]["password"] != clouds["idr-local-admin"]["auth"]["password"]


@pytest.mark.parametrize(
    ("kind", "driver", "zone"),
    [
        (Kind.CONTAINER, "idr_container.ContainerDriver", "nova"),
        (Kind.KVM, "libvirt.LibvirtDriver", "nova"),
        (Kind.NONE, "idr_fake.FakeHost", "fake"),
    ],
)
def test_a_server_without_zone_goes_to_real_hosts_where_there_are_any(
    state: State, kind: Kind, driver: str, zone: str
) -> None:
    choice = Choice(kind, 1)
    files = render.configuration(state, choice, VENV)
    assert f"compute_driver = {driver}" in files[state.root / "etc" / f"{choice.hosts[0]}.conf"]
    assert f"default_schedule_zone = {zone}\n" in files[state.root / "etc" / "nova.conf"]


def test_an_emulated_processor_can_run_what_wheels_are_compiled_for(state: State) -> None:
    # QEMU's default has too few features: numpy ends with "Illegal instruction".
    alone = render.configuration(state, Choice(Kind.QEMU, 0), VENV)[state.root / "etc" / "local.conf"]
    for text in (alone, render.host_configuration(state, "emulated", "emulated-1")["nova"]):
        section = _parsed(text)["libvirt"]
        assert (section["virt_type"], section["cpu_mode"], section["cpu_models"]) == ("qemu", "custom", "Nehalem")


def test_the_host_of_emulated_machines_is_another_one_for_nova_and_neutron(state: State) -> None:
    of_both = {name: _parsed(text) for name, text in render.host_configuration(state, "emulated", "emulated-1").items()}
    assert {name: config["DEFAULT"]["host"] for name, config in of_both.items()} == {
        "nova": "emulated-1",
        "neutron": "emulated-1",
    }
    # The agents of both hosts share one set of tables, and each would remove the other's rules.
    assert of_both["neutron"]["securitygroup"]["firewall_driver"] == "noop"


def test_nothing_listens_elsewhere_than_on_loopback_and_the_clouds_address(state: State) -> None:
    files = render.configuration(state, Choice(Kind.CONTAINER, 1), VENV)
    for text in files.values():
        for line in text.splitlines():
            if line.split(" = ")[0] in {"bind_host", "osapi_compute_listen", "metadata_listen", "osapi_volume_listen"}:
                assert line.split(" = ")[1] in {layout.ADDRESS, "127.0.0.1"}
    for service in (services.keystone(state), *services.apis(state)):
        for argument in service.argv:
            assert "0.0.0.0" not in argument  # noqa: S104  # compared, not bound


def test_a_good_machine_has_no_problems() -> None:
    assert GOOD.problems() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"system": "Darwin"}, "Linux"),
        ({"root": False}, "root"),
        ({"apt": False}, "apt-get"),
        ({"memory_mib": 8000}, "memory"),
        ({"free_gib": 10}, "disk"),
        ({"python": (3, 13)}, "3.13"),
    ],
)
def test_each_lack_is_named(change: dict[str, object], word: str) -> None:
    problems = dataclasses.replace(GOOD, **change).problems()  # type: ignore[arg-type]  # by name
    assert len(problems) == 1
    assert word in problems[0]


def test_containers_where_kvm_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kvm, "works", lambda: (False, "no"))
    assert control.choose(None, 3, None) == (Choice(Kind.CONTAINER, 3), "no")
    monkeypatch.setattr(kvm, "works", lambda: (True, "yes"))
    assert control.choose(None, None, None)[0] == Choice(Kind.KVM, 0)


def test_kvm_is_tried_with_the_guest_images_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDR_CACHE", str(tmp_path))
    for folder in ("key", ".other.part"):
        (tmp_path / "image" / folder).mkdir(parents=True)
        (tmp_path / "image" / folder / "vmlinuz").touch()
    kernels = list(kvm._kernels())
    assert kernels[0] == tmp_path / "image" / "key" / "vmlinuz"
    assert all(".part" not in str(path) for path in kernels)


def test_without_a_kernel_to_try_there_is_no_kvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kvm, "_kernels", lambda: iter([tmp_path / "vmlinuz"]))
    assert not kvm.works()[0]


@pytest.mark.parametrize("with_kernel", [True, False])
def test_an_image_says_how_a_virtual_machine_starts_it(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_kernel: bool
) -> None:
    written: list[tuple[str, str, dict[str, str]]] = []

    def ensure(
        _state: State, _cloud: object, _path: Path, name: str, disk_format: str, properties: dict[str, str]
    ) -> tuple[str, bool]:
        written.append((name, disk_format, properties))
        return f"id-{name}", True

    monkeypatch.setattr(openstack, "connect", lambda **_: None)
    monkeypatch.setattr(image, "_ensure", ensure)
    kernel, initrd = (tmp_path / "vmlinuz", tmp_path / "initrd") if with_kernel else (None, None)
    image.register(state, tmp_path / "rootfs.raw", "guest", kernel, initrd)
    name, disk_format, properties = written.pop()
    assert (name, disk_format) == ("guest", "raw")
    if not with_kernel:
        assert (written, properties) == ([], {})
        return
    assert written == [("guest-kernel", "aki", {}), ("guest-ramdisk", "ari", {})]
    assert properties["kernel_id"] == "id-guest-kernel"
    assert properties["ramdisk_id"] == "id-guest-ramdisk"
    assert properties["os_command_line"].startswith("root=/dev/vda rw ")


def test_the_next_up_has_the_computes_of_the_last(state: State) -> None:
    state.save_choice(Choice(Kind.CONTAINER, 2))
    assert control.choose(None, None, state.choice())[0] == Choice(Kind.CONTAINER, 2)
    assert control.choose(None, 4, state.choice())[0] == Choice(Kind.CONTAINER, 4)


def test_guests_of_one_kind_do_not_become_those_of_another() -> None:
    with pytest.raises(CloudError, match="wipe"):
        control.choose(Kind.QEMU, None, Choice(Kind.CONTAINER, 0))


def test_a_report_from_before_the_start_does_not_count() -> None:
    start = datetime(2026, 11, 22, 17, 5, tzinfo=UTC)

    def report(time: str | None, **more: object) -> SimpleNamespace:
        return SimpleNamespace(state="up", is_alive=True, updated_at=time, last_heartbeat_at=time, host="local", **more)

    def cloud(compute: str | None) -> SimpleNamespace:
        fresh = "2026-11-22 17:05:07"
        agents = [report(fresh, binary=f"neutron-{name}-agent") for name in ("linuxbridge", "l3", "dhcp", "metadata")]
        inner = [report(fresh, binary=name) for name in ("nova-conductor", "nova-scheduler")]
        volumes = [report(fresh, binary=name) for name in ("cinder-scheduler", "cinder-volume")]
        return SimpleNamespace(
            network=SimpleNamespace(agents=lambda: agents),
            compute=SimpleNamespace(services=lambda: [*inner, report(compute, binary="nova-compute")]),
            block_storage=SimpleNamespace(services=lambda: volumes),
        )

    choice = Choice(Kind.CONTAINER, 0)
    assert seed.missing(cloud("2026-11-22T17:05:09.000000"), choice, start) == []
    assert seed.missing(cloud("2026-11-22T17:04:55.000000"), choice, start) == ["nova-compute on local"]
    assert seed.missing(cloud(None), choice, start) == ["nova-compute on local"]


def test_a_checksum_is_remembered_until_the_file_changes(state: State, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(b"one")
    first = image.sha256(state, disk)
    assert image.sha256(state, disk) == first
    disk.write_bytes(b"other")
    assert image.sha256(state, disk) != first


def test_a_wrong_kind_is_wrong_usage(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["--state", str(tmp_path), "up", "--computes", "vmware"])
    assert done.exit_code == 2
    assert "vmware" in done.output


def test_status_of_what_is_not_up_fails(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["--state", str(tmp_path), "status"])
    assert done.exit_code == 1
    assert "not up" in done.output
