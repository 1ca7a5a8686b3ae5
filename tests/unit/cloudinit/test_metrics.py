"""The real node exporter with a node's configuration: its metrics prove whose they are."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness import rendered, stacks
from harness.ports import free_port
from harness.proxy import wait_for
from tests import programs

PROGRAM = "prometheus-node-exporter"
PLAN = stacks.plan_of("local")
NODE = PLAN.releases[0].nodes[0]
FILES = rendered.files(NODE, PLAN, stacks.secrets_of("local"))
CONFIGURATION = "/etc/idr/metrics/"
pytestmark = pytest.mark.needs(PROGRAM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    port = free_port()

    def here(text: str) -> str:
        return text.replace(CONFIGURATION, f"{folder}/").replace(f"{NODE.address}:9100", f"127.0.0.1:{port}")

    for path, text in FILES.items():
        if path.startswith(CONFIGURATION):
            (folder / Path(path).name).write_text(here(text))
    options = here(FILES["/etc/default/prometheus-node-exporter"]).strip().removeprefix('ARGS="').removesuffix('"')
    collectors = ["--collector.disable-defaults", "--collector.time", "--collector.textfile"]
    command = [PROGRAM, *collectors, f"--collector.textfile.directory={folder}", *options.split()]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def read(port: int, stack: str, name: str) -> str:
    trust = ssl.create_default_context(cadata=stacks.secrets_of(stack).authority.certificate)
    asked = {"sni_hostname": name}
    with httpx.Client(verify=trust) as client:
        return client.get(f"https://127.0.0.1:{port}/metrics", extensions=asked).text


@pytest.mark.parametrize("name", [NODE.name, str(NODE.address)])
def test_metrics_come_by_tls_from_the_node_by_name_or_address(port: int, name: str) -> None:
    assert "node_time_seconds" in read(port, "local", name)


def test_another_name_or_another_stack_is_noticed(port: int) -> None:
    for stack, name in (("local", "demo1-another"), ("ebi", NODE.name)):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            read(port, stack, name)


def test_nothing_is_given_without_tls(port: int) -> None:
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
    assert (answer.status_code, "node_time" in answer.text) == (400, False)


def test_only_root_and_the_exporter_read_the_key() -> None:
    text = Path("cloudinit/common/files.yaml").read_text()
    assert f'{CONFIGURATION}server.key: {{source: files/etc/idr/server.key, mode: "0640", group: prometheus}}' in text


def test_the_exporter_gives_what_idr_heal_writes(
    port: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = programs.load(stacks.ROOT / "cloudinit/common/files/usr/local/sbin/idr-heal")
    shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=False)
    assert f'textfile.directory="{program.METRICS.parent}"' in shown.stdout + shown.stderr
    healer = program.Healer()
    healer.health = {role: program.role_health.Health(tmp_path / role / "health") for role in ("common", "nfs")}
    for role, health in healer.health.items():
        health.judge(role == "common", "it is away")
    monkeypatch.setattr(program, "METRICS", folder / "idr-heal.prom")
    program.publish(healer.metrics())
    given = read(port, "local", NODE.name)
    assert "node_textfile_scrape_error 0\n" in given
    assert 'idr_role_healthy{role="common"} 1\nidr_role_healthy{role="nfs"} 0\n' in given
    assert "idr_role_last_look_timestamp_seconds 1." in given
