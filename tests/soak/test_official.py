"""The way of the official OMERO.server and OMERO.web onto a machine, with a stand-in distribution, in a project apart.

Everything but the archives' content is the true thing: download through a site's proxy, sums, unpacking, pip,
`omero load`, `omero certificates`, `omero db script`, `omero admin start` and `stop`, the units, PostgreSQL. The bundle
goes to a machine as `pulumi up` sends it. What this cannot prove needs internet: `make verify-official`.
"""

import dataclasses
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudinit import render
from model import reading
from model.plan import Scope
from model.planning import plan
from model.secrets import Secrets
from tests import stacks
from tests.cloud import tenant
from tests.cloud.service import Service
from tests.cloud.tenant import Tenant
from tests.omero_stand_in import distribution

pytestmark = pytest.mark.cloud

SERVER = "demo1-omeroreadwrite"
DATABASE = "demo1-database"
SITE = "http://downloads.example.org"  # known to no DNS: only the site's proxy leads there
PROXY_PORT = 8080
OTHER_SUM = "0" * 64
# As a client asks a proxy, the whole URL is the path: a folder of that name answers.
SERVED = f"/srv/web/{SITE.replace('//', '/')}"
PIP = f"[global]\nno-index = true\nfind-links = {SITE}/\ntrusted-host = downloads.example.org\n"
STATE = (
    "systemctl show -p MainPID omero-server omero-web; "
    "readlink /opt/omero/web/venv3 /opt/omero/server/OMERO.server /opt/omero/server/venv; "
    "sudo stat -c '%n %Y' /opt/omero/server/* /opt/ice-*"
)


@dataclass(frozen=True)
class Place:
    """A release whose read-write node takes bundles of the official distribution."""

    ssh_config: Path
    secrets: Secrets
    made: distribution.Distribution

    def on(self, node: str, command: str, text_input: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a command on a node."""
        ssh = ["ssh", "-F", str(self.ssh_config), "-o", "BatchMode=yes", node, command]
        return subprocess.run(ssh, input=text_input, capture_output=True, check=False, timeout=900)

    def said(self, node: str, command: str, text_input: bytes = b"") -> str:
        """What a command prints that must work."""
        done = self.on(node, command, text_input)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def sql(self, statement: str) -> str:
        """What the database answers."""
        return self.said(DATABASE, "sudo -u postgres psql -XqtA idr", statement.encode()).strip()

    def apply(self, *, live: str = "demo1", **wrong: str) -> tuple[int, str]:
        """Send the bundle; returns the exit status and what was said. `wrong` are other sums."""
        values = stacks.values("local")
        values |= {
            "omero": self.made.settings(**wrong),
            "omeroImage": values["image"],
            "proxies": {"http": f"http://127.0.0.1:{PROXY_PORT}"},
        }
        found = plan(reading.parse(values, reading.Source("local", "Pulumi.local.yaml")), "local")
        found = dataclasses.replace(found, live=live, releases=tuple(map(without_packages, found.releases)))
        node = next(node for node in found.nodes if node.name == SERVER)
        bundle = render.bundle(node, found, self.secrets, {})
        done = self.on(SERVER, "sudo /usr/local/sbin/idr-apply", bundle.encode())
        return done.returncode, done.stdout.decode() + done.stderr.decode()


def without_packages(release: Scope) -> Scope:
    """The release as it is here: Ubuntu's packages are not on Debian."""
    nodes = tuple(dataclasses.replace(node, packages=()) for node in release.nodes)
    return dataclasses.replace(release, nodes=nodes)


def prepared(stack: Tenant) -> Place:
    """The place, with the archives served on the server's own loopback and the programs that the guest image lacks."""
    archives = stack.folder / "archives"
    archives.mkdir()
    place = Place(stack.service().ssh_config, stack.secrets(), distribution.make(archives, SITE))
    packed = subprocess.run(["tar", "-C", str(archives), "-c", "."], capture_output=True, check=True).stdout
    place.said(SERVER, f"sudo mkdir -p {SERVED} && sudo tar -C {SERVED} -x", packed)
    serve = f"python3 -m http.server --bind 127.0.0.1 {PROXY_PORT}"
    place.said(SERVER, f"sudo systemd-run -q --unit site-proxy --working-directory /srv/web {serve}")
    place.said(SERVER, "sudo tee /etc/pip.conf", PIP.encode())
    # Java is not in the guest image; unzip is, from the next one on.
    for name, content in (
        ("java", (distribution.HERE / "java").read_bytes()),
        ("unzip", Path("/usr/bin/unzip").read_bytes()),
    ):
        place.said(SERVER, f"sudo tee /usr/local/bin/{name} > /dev/null; sudo chmod 755 /usr/local/bin/{name}", content)
    # As on Ubuntu, where no image has either.
    place.said(
        SERVER, "sudo systemctl disable -q --now omero-demo-image-server omero-web && sudo rm -r /opt/omero/web/*"
    )
    return place


@pytest.fixture(scope="module")
def place(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A release beside the running service."""
    assert service.outputs
    made = tenant.make(tmp_path_factory.mktemp("official"))
    with made.running():
        yield prepared(made)


# The tests of this module follow each other on one machine.


def test_a_wrong_sum_is_one_clear_message_and_nothing_is_unpacked(place: Place) -> None:
    status, said = place.apply(server=OTHER_SUM)
    assert status == 1
    assert f"omero.server: {SITE}/{distribution.SERVER} has SHA-256 " in said
    assert f"the settings say {OTHER_SUM}; not unpacked" in said
    assert "OMERO.server" not in place.said(SERVER, "ls /opt /opt/omero/server")


def test_the_server_is_installed_configured_and_running(place: Place) -> None:
    status, said = place.apply()
    assert (status, said.count("\n")) == (0, 1), said
    assert place.sql("select currentversion, currentpatch from dbpatch") == "OMERO5.4|0"
    assert place.sql("select count(*) from password where hash is not null and hash != ''") == "2"
    settings = place.said(SERVER, "sudo cat /opt/omero/server/OMERO.server/etc/grid/config.xml")
    assert '<property name="omero.jvmcfg.heap_size.blitz" value="' in settings
    limits = place.said(SERVER, "sudo cat /proc/$(systemctl show -P MainPID omero-server)/limits")
    assert next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")) == "16384"
    assert place.said(SERVER, "stat -c '%U %a' /data/OMERO/ManagedRepository").split() == ["omero-server", "2775"]


def test_omero_web_is_installed_and_talks_to_that_server(place: Place) -> None:
    assert place.said(SERVER, "readlink /opt/omero/web/venv3").startswith("/opt/omero/web/venv-")
    installed = place.said(SERVER, "/opt/omero/web/venv3/bin/pip list --format freeze")
    assert {"omero-web==5.33.2", "zeroc-ice==3.6.5"} <= set(installed.split())
    place.said(SERVER, "sudo /usr/local/lib/idr/web/health")


def test_a_second_time_changes_nothing(place: Place) -> None:
    before = place.said(SERVER, STATE)
    assert place.apply()[0] == 0
    assert place.said(SERVER, STATE) == before


def test_a_wrong_sum_later_leaves_what_runs_alone(place: Place) -> None:
    before = place.said(SERVER, STATE)
    status, said = place.apply(server=OTHER_SUM)
    assert status == 1
    assert "not unpacked" in said
    assert "The previous configuration is back in force." in said
    assert place.said(SERVER, STATE) == before
    assert place.apply()[0] == 0


def test_no_password_is_readable_by_others(place: Place) -> None:
    names = ("database/omero", "omero/root")
    patterns = "\n".join(place.secrets.password(f"demo1/{name}") for name in names)
    where = "/opt /etc /var/lib/omero-server /var/log /proc/[0-9]*/cmdline"
    search = f"sudo runuser -u nobody -- grep -rlsF -f /dev/stdin {where} || true; echo searched"
    assert place.said(SERVER, search, patterns.encode()) == "searched\n"


def test_an_older_schema_is_not_upgraded_where_visitors_are(place: Place) -> None:
    place.sql("delete from dbpatch; insert into dbpatch (currentversion, currentpatch) values ('OMERO5.3', 1)")
    status, said = place.apply(live="demo1")
    assert status == 1
    assert "has the schema OMERO5.3__1, this OMERO.server needs OMERO5.4__0, and this release is live" in said
    assert place.sql("select count(*) from dbpatch where currentversion = 'OMERO5.4'") == "0"


def test_an_older_schema_is_upgraded_on_a_release_of_its_own(place: Place) -> None:
    status, said = place.apply(live="another")
    assert status == 0, said
    assert place.sql("select to_regclass('upgraded')") == "upgraded"
    assert place.sql("select currentversion from dbpatch order by id desc limit 1") == "OMERO5.4"


def test_it_comes_back_by_itself_after_it_was_killed(place: Place) -> None:
    place.said(SERVER, "sudo systemctl kill -s KILL omero-server")
    wait = "for i in $(seq 120); do systemctl is-active -q omero-server && exit 0; sleep 1; done; exit 1"
    place.said(SERVER, f"sleep 3; {wait}")
    place.said(SERVER, "sudo /usr/local/lib/idr/omero-server/health")
