"""How the health test of OMERO.web judges its answers: the public user's page, or a login that must fail."""

import os
import subprocess
from pathlib import Path

import pytest

from harness import stacks
from harness.rendered import files
from model.role_description import FOLDER
from model.roles import Role
from model.visitors import Visitors

SCRIPT = (FOLDER / "web" / "scripts" / "health").read_text()
# The words of OMERO.web 5.33.2.
REFUSED = '{"message": "Connection not available, please check your credentials and version compatibility."}'
AWAY = '{"message": "Server is not responding, please contact administrator."}'
CSRF = '{"message": "CSRF Failed: CSRF cookie not set."}'
CURL = """#!/bin/bash
case "$*" in
  *token*) echo '{"data": "abc123"}' ;;
  *login*) [[ $* == *'X-CSRFToken: abc123'*'-e https://10.130.1.40:4080/'* ]] && cat answer ;;
  *keepalive_ping*) cat answer ;;
esac
"""


def health(folder: Path, visitors: Visitors, answer: str) -> tuple[int, str]:
    """Return status and output of the test with these answers of OMERO.web, and with its gunicorn as the unit's own."""
    plan = stacks.with_settings(stacks.plan_of("local"), visitors=visitors)
    (node,) = plan.releases[0].with_role(Role.WEB)
    rendered = files(node, plan, stacks.secrets_of("local"))
    for name in ("etc/idr/node.env", "opt/omero/web/config/idr.omero"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(rendered[f"/{name}"])
    pid = folder / "opt/omero/web/OMERO.web/var/django.pid"
    pid.parent.mkdir(parents=True)
    pid.write_text("7")
    programs = {"curl": CURL, "journalctl": "", "ps": "#!/bin/sh\necho 6\n", "systemctl": "#!/bin/sh\necho 6\n"}
    for name, text in programs.items():
        (folder / name).write_text(text or "#!/bin/sh\n")
        (folder / name).chmod(0o755)
    (folder / "answer").write_text(answer)
    script = SCRIPT.replace(" /etc/idr/node", f" {folder}/etc/idr/node").replace("/opt/", f"{folder}/opt/")
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("visitors", "answer", "message"),
    [
        (Visitors.PUBLIC, "OK", ""),
        (Visitors.PUBLIC, "Connection Failed", "keepalive_ping answers: Connection Failed\n"),
        (Visitors.LOGIN, REFUSED, ""),
        (Visitors.LOGIN, '{"message": "Wrong password"}', ""),
        (Visitors.LOGIN, AWAY, f"a login is answered: {AWAY}\n"),
        (Visitors.LOGIN, CSRF, f"a login is answered: {CSRF}\n"),
        (Visitors.LOGIN, "<html>", "a login is answered: <html>\n"),
        (Visitors.LOGIN, "", "a login is answered: \n"),
    ],
)
def test_the_answers_say_whether_omero_server_is_there(
    tmp_path: Path, visitors: Visitors, answer: str, message: str
) -> None:
    assert health(tmp_path, visitors, answer) == (1 if message else 0, message)
