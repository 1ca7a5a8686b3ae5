"""`idr-apply` starts, reloads, restarts and stops the services of each role by its description."""

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from cloudinit import render
from harness import stacks
from model.role_description import FOLDER
from model.roles import DESCRIPTIONS
from tests import programs

CALLS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("service_calls.yaml").read_text())
WITH_SERVICES = [role for role, about in DESCRIPTIONS.items() if about.services]
STARTED = [role for role in CALLS if any(service.restart_on is not None for service in DESCRIPTIONS[role].services)]
CHANGES = [(role, path, call) for role in STARTED for call, paths in CALLS[role]["changed"].items() for path in paths]
SYSTEMCTL = """#!/bin/sh
# Plays systemd: a unit is active and enabled when it has a file that says so. Writes down what takes effect.
for unit; do :; done
cd {folder}
start() {{ touch "$unit.active"; echo "start $unit" >> calls; }}
case $1 in
  {refused}) echo "Job for $unit failed."; exit {status} ;;
  is-enabled) if [ -e "$unit.enabled" ]; then echo enabled; else echo disabled; exit 1; fi ;;
  enable) touch "$unit.enabled"; echo "enable $unit" >> calls ;;
  daemon-reload) echo daemon-reload >> calls ;;
  start) [ -e "$unit.active" ] || start ;;
  restart) if [ -e "$unit.active" ]; then echo "restart $unit" >> calls; else start; fi ;;
  reload-or-restart) if [ -e "$unit.active" ]; then echo "reload $unit" >> calls; else start; fi ;;
  stop) if [ -e "$unit.active" ]; then rm "$unit.active"; echo "stop $unit" >> calls; fi ;;
  *) exit 1 ;;
esac
case "$*" in *" --no-block "*) echo "$unit" >> not-awaited ;; esac
"""


class Machine:
    """A folder instead of a machine with systemd; the roles' own steps do nothing."""

    def __init__(self, folder: Path, program: ModuleType) -> None:
        self.folder, self.program = folder, program
        self.systemd()

    def systemd(self, refused: str = "nothing", status: int = 1) -> None:
        """Let systemd refuse a request, by its name, with an exit status."""
        file = self.folder / "bin" / "systemctl"
        file.parent.mkdir(exist_ok=True)
        file.write_text(SYSTEMCTL.format(folder=self.folder, refused=refused, status=status))
        file.chmod(0o755)

    def run(self, *services: dict[str, Any]) -> None:
        """Mark services as running since the machine booted."""
        for service in services:
            for state in ("active", "enabled"):
                (self.folder / f"{service['unit']}.{state}").touch()

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return lines

    def keep(self, roles: list[str], services: dict[str, Any]) -> None:
        """Record a bundle as applied."""
        self.program.APPLIED.write_text(json.dumps({"digest": "d", "roles": roles, "paths": []}))
        self.program.KEPT.write_text(json.dumps({"files": [], "services": services}))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    program = programs.load(FOLDER / "bootstrap" / "idr-apply")
    names = {"APPLIED": "applied", "KEPT": "bundle", "UNFINISHED": "unfinished", "LIBRARY": "library", "LOG": "log"}
    for name, file in names.items():
        monkeypatch.setattr(program, name, tmp_path / file)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return Machine(tmp_path, program)


def services(role: str) -> list[dict[str, Any]]:
    """Return the services of a role as in a bundle, on a node with Debian."""
    node = stacks.plan_of("local").nodes[0]
    return render.services(DESCRIPTIONS[role], node)


def test_every_role_with_services_is_in_the_table() -> None:
    assert set(CALLS) == set(WITH_SERVICES), "tests/unit/cloudinit/service_calls.yaml needs an entry for each of them"


@pytest.mark.parametrize("case", ["first", "unchanged", "not running"])
@pytest.mark.parametrize("role", STARTED)
def test_services_start_in_their_order(machine: Machine, role: str, case: str) -> None:
    if case == "unchanged":
        machine.run(*services(role))
    paths = [path for changed in CALLS[role]["changed"].values() for path in changed]
    machine.program.activate(role, services(role), paths if case == "first" else [])
    assert machine.calls() == CALLS[role][case]


@pytest.mark.parametrize(("role", "path", "call"), CHANGES)
def test_a_changed_file_restarts_or_reloads_its_service(machine: Machine, role: str, path: str, call: str) -> None:
    machine.run(*services(role))
    machine.program.activate(role, services(role), [path])
    assert machine.calls() == ([] if call == "nothing" else [call])


@pytest.mark.parametrize("role", STARTED)
def test_every_file_of_a_role_is_in_the_table(role: str) -> None:
    listed = {path for changed in CALLS[role]["changed"].values() for path in changed}
    assert yaml.safe_load((FOLDER / role / "files.yaml").read_text()).keys() <= listed


def test_services_stop_in_the_opposite_order(machine: Machine) -> None:
    roles = WITH_SERVICES
    machine.keep(roles, {role: services(role) for role in roles})
    machine.run(*(service for role in roles for service in services(role)))
    machine.program.stop()
    assert machine.calls() == [call for role in reversed(roles) for call in CALLS[role]["stop"]]


@pytest.mark.parametrize("marker", [{"services": {"web": services("web")}}, "a digest, as an earlier version wrote it"])
def test_after_a_killed_run_the_services_that_it_began_with_are_stopped_too(machine: Machine, marker: object) -> None:
    """Its bundle is not yet the kept one, and the scripts that stopped its services may be missing."""
    machine.keep(["web"], {})
    machine.program.UNFINISHED.write_text(json.dumps(marker))
    machine.run(*services("web"))
    machine.program.stop()
    assert machine.calls() == (CALLS["web"]["stop"] if isinstance(marker, dict) else [])


def test_a_service_that_was_never_installed_hinders_no_stop(machine: Machine) -> None:
    machine.keep(["web"], {"web": []})
    machine.program.UNFINISHED.write_text(json.dumps({"services": {"web": services("web")}}))
    machine.systemd(refused="stop")
    machine.program.stop()


def test_a_unit_that_went_with_its_package_hinders_no_stop_but_one_that_does_not_stop_does(machine: Machine) -> None:
    machine.keep(["web"], {"web": services("web")})
    machine.systemd(refused="stop", status=5)
    machine.program.stop()
    machine.systemd(refused="stop")
    with pytest.raises(machine.program.Failure, match="systemctl stop"):
        machine.program.stop()


@pytest.mark.parametrize("role", [role for role in DESCRIPTIONS if role not in STARTED])
def test_a_service_that_its_step_starts_is_left_to_it(machine: Machine, role: str) -> None:
    machine.program.activate(role, services(role), ["/etc/hosts"])
    assert machine.calls() == []


def test_a_service_that_takes_hours_to_start_is_not_awaited(machine: Machine) -> None:
    for role in STARTED:
        machine.program.activate(role, services(role), [])
    assert (machine.folder / "not-awaited").read_text().splitlines() == ["idr-prewarm"]


def bundle(**roles: list[dict[str, Any]]) -> dict[str, Any]:
    return {"node": "n", "digest": "new", "roles": list(roles), "services": roles, "files": [], "healthSeconds": 0}


def test_systemd_reads_unit_files_before_the_first_service_starts(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/etc/systemd/system/omero-web.service"
    monkeypatch.setattr(machine.program.Files, "changed", [path])
    machine.keep(["web"], {})
    machine.run(*services("web"))
    monkeypatch.setattr(machine.program, "keep", lambda *_: machine.program.UNFINISHED.touch())
    machine.program.apply(bundle(web=services("web")))
    assert machine.calls() == ["daemon-reload", "restart omero-web"]


def test_a_service_that_does_not_start_fails_by_its_roles_name_and_the_former_ones_come_back(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.keep(["redis"], {"redis": [{"unit": "redis-server", "restartOn": ["/"]}]})
    monkeypatch.setattr(machine.program, "keep", lambda *_: machine.program.UNFINISHED.touch())
    machine.systemd(refused="start")
    machine.run(*services("redis"))
    # A rollback starts it again by `restart`, which is not refused here.
    monkeypatch.setattr(machine.program.Files, "changed", ["/etc/redis/redis.conf"])
    with pytest.raises(machine.program.Failure) as caught:
        machine.program.apply(bundle(web=services("web")))
    assert str(caught.value) == (
        "role web: systemctl start omero-web failed (exit status 1):\nJob for omero-web failed.\n"
        "The previous configuration is back in force."
    )
    assert machine.calls() == [
        *("stop redis-server", "enable omero-web", "enable omero-web-tls", "start redis-server"),
    ]


def test_services_of_a_role_that_the_node_no_longer_has_stop_after_the_checks(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files are removed: nothing would restart them, and the plan does not have what they serve."""
    pictures: list[dict[str, Any]] = [
        {"unit": "pictures"},
        {"unit": "pictures-tls", "restartOn": []},
        *services("web")[:1],
    ]
    machine.keep(["web", "pictures"], {"web": services("web"), "pictures": pictures})
    monkeypatch.setattr(machine.program, "keep", lambda *_: machine.program.UNFINISHED.touch())
    machine.run(*services("web"), *pictures)
    monkeypatch.setattr(machine.program.Files, "changed", ["/etc/systemd/system/pictures.service"])
    machine.program.apply(bundle(web=services("web")))
    assert machine.calls() == ["stop pictures-tls", "stop pictures", "daemon-reload"]
    # Also a unit that was removed with its own package.
    machine.systemd(refused="stop", status=5)
    machine.program.apply(bundle(web=services("web")))


def test_services_of_a_role_that_goes_run_on_where_a_check_fails(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[dict[str, Any]] = [{"unit": "pictures"}]
    machine.keep(["pictures"], {"pictures": pictures})
    monkeypatch.setattr(machine.program, "keep", lambda *_: machine.program.UNFINISHED.touch())
    machine.run(*pictures)
    check = machine.program.LIBRARY / "web" / "check"
    check.parent.mkdir(parents=True)
    check.write_text("#!/bin/sh\nexit 1\n")
    check.chmod(0o755)
    with pytest.raises(machine.program.Failure, match="role web: check failed"):
        machine.program.apply(bundle(web=services("web")))
    assert machine.calls() == []


def test_what_an_earlier_version_applied_comes_back_by_its_own_steps(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bundle has no services, and its `activate` starts them."""
    step = machine.program.LIBRARY / "web" / "activate"
    step.parent.mkdir(parents=True)
    step.write_text(f"#!/bin/sh\necho by script >> {machine.folder}/calls\n")
    step.chmod(0o755)
    machine.keep(["web"], {})
    machine.program.KEPT.write_text(json.dumps({"files": []}))
    monkeypatch.setattr(machine.program, "keep", lambda *_: machine.program.UNFINISHED.touch())
    machine.systemd(refused="start")
    with pytest.raises(machine.program.Failure, match="The previous configuration is back in force"):
        machine.program.apply(bundle(web=services("web")))
    assert machine.calls() == ["enable omero-web", "enable omero-web-tls", "by script"]
