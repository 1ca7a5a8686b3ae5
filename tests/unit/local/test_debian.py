"""Debian packages of the tools: their services start neither now nor when the machine boots."""

from pathlib import Path

import pytest

from dev import debian
from dev.cloud import control
from dev.cloud.layout import State
from tests import stubs

FILES = """/.
/etc/init.d
/etc/init.d/rabbitmq-server
/lib/systemd/system
/lib/systemd/system/epmd@.service
/lib/systemd/system/epmd@.socket
/lib/systemd/system/rabbitmq-server.service
/lib/systemd/system/rabbitmq-server.service.d/limits.conf
/usr/lib/systemd/system/fstrim.timer
/usr/share/doc/rabbitmq-server/example.service
"""
BEFORE = "installed bash\ninstalled nginx\nconfig-files old\n"
AFTER = BEFORE + "installed rabbitmq-server\ninstalled erlang-base\n"


def test_services_are_units_that_start_something_and_scripts_of_init() -> None:
    assert debian.services(FILES) == [
        *("epmd@.service", "epmd@.socket", "fstrim.timer", "rabbitmq-server.service"),
    ]


def test_what_was_installed_stays_off_after_a_reboot_and_what_was_there_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, systemctl, init = (
        stubs.put(tmp_path, monkeypatch, name) for name in ("dpkg-query", "systemctl", "update-rc.d")
    )
    stubs.put(tmp_path, monkeypatch, "apt-get")
    query.answers((0, "", ""), (0, BEFORE, ""), (0, AFTER, ""), (0, FILES, ""))
    # The first is an alias: it is refused, and the others are disabled all the same.
    systemctl.answers((1, "", "Refusing to operate on alias"), (0, "", ""))
    monkeypatch.setattr(debian, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert debian.ensure(["rabbitmq-server"], lambda _: None) == ["erlang-base", "rabbitmq-server"]
    assert query.calls[-1].arguments == ["-L", "erlang-base", "rabbitmq-server"]
    services = debian.services(FILES)
    assert [call.arguments for call in systemctl.calls] == [["disable", name] for name in services]
    assert ["rabbitmq-server", "disable"] in [call.arguments for call in init.calls]
    # Only files change: systemctl would refuse on a machine without systemd.
    assert all(call.environment["SYSTEMD_OFFLINE"] == "1" for call in systemctl.calls)


@pytest.mark.parametrize(("planned", "removed"), [("", True), ("Remv of-the-users [1]\n", False)])
def test_wipe_removes_the_services_that_were_installed_for_the_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: str, removed: bool
) -> None:
    query, apt = (stubs.put(tmp_path, monkeypatch, name) for name in ("dpkg-query", "apt-get"))
    # erlang-base brings no service, and `gone` was removed by somebody else.
    query.answers((0, AFTER, ""), (0, "/usr/bin/erl\n", ""), (0, FILES, ""))
    apt.answers((0, f"Remv rabbitmq-server [3.10]\n{planned}", ""))
    monkeypatch.setattr(debian, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(control, "stop", lambda _: True)
    state = State(tmp_path / "cloud")
    state.add_packages(["rabbitmq-server", "gone"])
    state.add_packages(["erlang-base"])
    messages: list[str] = []
    control.wipe(state, messages.append)
    calls = [["remove", "--simulate", "rabbitmq-server"], ["remove", "-y", "-qq", "rabbitmq-server"]]
    assert [call.arguments for call in apt.calls] == calls[: 1 + removed]
    assert any("of-the-users" in message for message in messages) is not removed
    assert not state.root.exists()


def test_wipe_of_a_cloud_that_installed_nothing_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt = stubs.put(tmp_path, monkeypatch, "apt-get")
    monkeypatch.setattr(control, "stop", lambda _: True)
    control.wipe(State(tmp_path / "cloud"), lambda _: None)
    assert apt.calls == []
