"""Secrets are only where they belong: searched by value, on every machine, in the cloud's API and in the state."""

import base64
import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from harness import stacks
from harness.cloud.service import Service
from harness.cloud.tenant import Tenant
from tests.cloud import derived

pytestmark = pytest.mark.cloud

Values = dict[str, tuple[str, ...]]
PLAN = stacks.plan_of("local")
NODES = [node.name for node in PLAN.nodes]
ROTATED = ("database/omero", "redis")
USERS = ("demo1-database", "demo1-redis", "demo1-omeroreadwrite")
PREFIX = "idr-local-"

# The values come on standard input: on a command line the search would find them.
SEARCH = 'values=$(cat); listed() { printf \'%s\\n\' "$values"; }; found() { grep --text -F -f <(listed) "$@"; }; '
JOURNAL = f"{SEARCH} journalctl --quiet --no-pager --output=export | found --count; dmesg | found; true"
LOGS = f"{SEARCH} found --recursive --files-with-matches /var/log; true"
# Files that an account without rights can read, except those that Linux generates as they are read.
FOLDERS = "/boot /etc /home /mnt /media /opt /root /run /srv /tmp /usr/local /var"
READABLE = f"runuser -u nobody -- grep --text -rlsF --devices=skip -f - {FOLDERS}; true"
PROCESSES = "timeout {seconds} sh -c 'while :; do ps axww -o args; sleep 0.1; done' | sort -u"
METADATA = "http://169.254.169.254/openstack/latest/user_data"
SECONDS_OF_SAMPLES = 30


@dataclass(frozen=True)
class Running:
    """A running service all of whose secrets are known, and the command lines of its machines during an update."""

    tenant: Tenant
    service: Service
    values: Values
    processes: dict[str, str]

    def everywhere(self, command: str) -> dict[str, str]:
        """Return a command's output on each machine as root, with all forms of all secrets on its standard input."""
        forms = {form for values in self.values.values() for value in values for form in derived.forms(value)}
        return on_all(self.service, NODES, command, "\n".join(sorted(forms)))

    def names_in(self, text: str) -> set[str]:
        """Return the names of the secrets in a text."""
        return derived.names_in(text, self.values)


def on_all(service: Service, nodes: Sequence[str], command: str, text_input: str = "") -> dict[str, str]:
    """Return a command's output on each of these machines as root."""
    shell = f"sudo bash -c {shlex.quote(command)}"
    with ThreadPoolExecutor() as pool:
        return dict(zip(nodes, pool.map(lambda node: service.on(node, shell, text_input), nodes), strict=True))


@pytest.fixture(scope="module")
def running(second: Tenant) -> Running:
    """Return the second project after an update with new passwords; the former ones are as secret as the new ones."""
    service = second.service()
    former = derived.of_plan(PLAN, second.secrets())
    with ThreadPoolExecutor() as pool:
        sampling = pool.submit(on_all, service, USERS, PROCESSES.format(seconds=SECONDS_OF_SAMPLES))
        second.renew(*(f"password/demo1/{name}" for name in ROTATED))
        second.apply()
    values = derived.of_plan(PLAN, second.secrets())
    values |= {f"{name}, former": former[name] for name in former if former[name] != values[name]}
    return Running(second, service, values, sampling.result())


def test_the_search_knows_every_secret_and_would_find_one_in_any_disguise(running: Running) -> None:
    redis = "password/demo1/redis"
    names = {"the stack secret", "ca", "ssh/deploy/1", redis, f"{redis}, former"}
    assert names | {f"tls/{node}" for node in NODES} <= set(running.values)
    for shift in range(3):
        disguised = base64.b64encode(b"x" * shift + running.values[redis][0].encode() + b"more").decode()
        assert running.names_in(disguised) == {redis}
    there = ("/etc/idr/redis.env", "/etc/idr/database/passwords.sql")
    files = running.everywhere(f"{SEARCH} found --files-with-matches {' '.join(there)}; true")
    assert (files["demo1-redis"], files["demo1-database"]) == there


def test_no_command_line_shows_one_while_an_update_is_applied(running: Running) -> None:
    for node, lines in running.processes.items():
        assert "/usr/local/sbin/idr-apply" in lines, node
        assert running.names_in(lines) == set(), node


def test_no_journal_or_kernel_message_has_one(running: Running) -> None:
    assert set(running.everywhere(JOURNAL).values()) == {"0"}


def test_no_log_file_has_one(running: Running) -> None:
    assert set(running.everywhere(LOGS).values()) == {""}


def test_no_file_that_everybody_may_read_has_one(running: Running) -> None:
    shown = "/etc/idr-shown-to-everybody"
    running.service.on("demo1-redis", f"sudo install -m 644 /etc/idr/redis.env {shown}")
    readable = running.everywhere(READABLE)
    running.service.on("demo1-redis", f"sudo rm {shown}")
    assert readable.pop("demo1-redis") == shown
    assert set(readable.values()) == {""}


@pytest.mark.parametrize("node", NODES)
def test_user_data_has_the_nodes_own_host_key_and_no_other_secret(running: Running, node: str) -> None:
    given = running.service.on(node, f"sudo curl --silent --fail {METADATA}")
    assert running.names_in(given) == {f"ssh/host/{node}/"}
    # On the machine itself only root can read it.
    refused = running.service.try_on(node, f"sudo -u nobody curl --silent --max-time 10 {METADATA}")
    assert (refused.returncode, refused.stdout) == (7, "")


def test_the_cloud_shows_none_in_a_servers_description_or_console(running: Running) -> None:
    compute = running.tenant.cloud().compute
    for name, number in running.tenant.servers().items():
        described = compute.get(f"/servers/{number}", microversion="2.90").text
        assert running.names_in(described) <= {f"ssh/host/{name.removeprefix(PREFIX)}/"}, name
        assert running.names_in(str(compute.get_server_console_output(number))) == set(), name


def test_the_state_and_the_outputs_have_none_in_plain(running: Running) -> None:
    for shown in (("stack", "export"), ("stack", "output", "--json"), ("config",), ("stack", "history", "--json")):
        done = running.tenant.pulumi(*shown, "--stack", "local")
        assert done.returncode == 0, done.stderr
        assert running.names_in(done.stdout) == set(), shown


def test_no_file_of_the_state_has_one_in_plain(running: Running) -> None:
    files = [file for file in (running.tenant.folder / "state").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert running.names_in(file.read_text(errors="replace")) == set(), file
