"""The logs of a proxy, rotated by the real logrotate: no visitor can fill the disk."""

import subprocess
from pathlib import Path

import pytest

from harness import rendered, stacks
from model.roles import Role

PLAN = stacks.plan_of("local")
PROXY = PLAN.releases[0].with_role(Role.PROXY)[0]
DAILY = "/etc/logrotate.d/nginx"
MIB = 1 << 20


pytestmark = pytest.mark.needs("logrotate")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def rotate(log: Path) -> None:
    """Run the timer's command, without Debian's account and without an nginx to notify."""
    text = rendered.files(PROXY, PLAN, stacks.secrets_of("local"))[DAILY]
    text = text.replace("/var/log/nginx", str(log.parent)).replace("www-data adm", "").replace("invoke-rc.d", "true")
    config = log.with_name("logrotate.conf")
    config.write_text(text)
    config.chmod(0o644)
    subprocess.run(["logrotate", "--state", log.with_name("state"), config], check=True)


def test_a_log_that_has_grown_is_rotated_on_the_same_day(log: Path) -> None:
    log.write_text("a line\n")
    rotate(log)
    rotate(log)
    assert log.read_text() == "a line\n"
    with log.open("r+b") as file:
        file.truncate(201 * MIB)
    rotate(log)
    kept = log.with_name("access.log.1.gz")
    assert (log.stat().st_size, kept.exists()) == (0, True)
    assert kept.stat().st_size < MIB


def test_the_timer_looks_each_hour() -> None:
    text = rendered.files(PROXY, PLAN, stacks.secrets_of("local"))["/etc/systemd/system/logrotate.timer.d/idr.conf"]
    assert "OnCalendar=hourly" in text.splitlines()
