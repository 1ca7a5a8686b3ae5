"""A node of the demo that gets bundles of the official distribution: stand-ins of its archives, through a proxy.

All but the archives' content is real: download through a site's proxy, sums, unpacking, pip, `omero load`,
`omero certificates`, `omero db script`, `omero admin start` and `stop`, the units, PostgreSQL. The machine gets the
bundle as `pulumi up` sends it. Only `make verify-official`, which needs internet, proves the rest.
"""

import dataclasses
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudinit import render
from harness import stacks
from harness.cloud import tenant
from harness.cloud.tenant import Tenant
from model import reading
from model.plan import Scope
from model.planning import plan
from model.secrets import Secrets
from tests import parade
from tests.omero_stand_in import distribution
from tests.waiting import wait_until

SERVER = "demo1-omeroreadwrite"
DATABASE = "demo1-database"
ADDRESS = next(node.address for node in stacks.plan_of("local").nodes if node.name == SERVER)
SITE = "http://downloads.example.org"  # known to no DNS: only the site's proxy leads there
PROXY_PORT = 8080
# A client asks a proxy for the whole URL, which is the path here: a folder of that name answers.
SERVED = f"/srv/web/{SITE.replace('//', '/')}"
PIP = f"[global]\nno-index = true\nfind-links = {SITE}/\ntrusted-host = downloads.example.org\n"
AS_A_CLOUD_IMAGE = """
set -e
sudo systemctl disable -q --now omero-demo-image-server omero-web
sudo sh -c 'rm -r /opt/omero/web/* /etc/idr/omero /etc/omero-demo-image-server.env /var/lib/idr/*'
for user in omero-server omero-web; do sudo userdel --remove $user; done
"""
"""Removes OMERO's users, folders and settings, which no image of a cloud has. The stand-in's Python stays."""
JAVA = "/usr/local/bin/java"
POSTGRESQL = "postgresql@15-main"
WELL = "sudo /usr/local/lib/idr/omero-server/health"
HEAL_SECONDS = 90


@dataclass(frozen=True)
class OfficialRelease:
    """A release whose read-write node gets bundles of the official distribution."""

    ssh_config: Path
    secrets: Secrets
    archives: distribution.Distribution
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings beside those of the stack `local`."""

    def on(self, node: str, command: str, text_input: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a command on a node."""
        ssh = ["ssh", "-F", str(self.ssh_config), "-o", "BatchMode=yes", node, command]
        return subprocess.run(ssh, input=text_input, capture_output=True, check=False, timeout=900)

    def output_of(self, node: str, command: str, text_input: bytes = b"") -> str:
        """Return the output of a command that must succeed."""
        done = self.on(node, command, text_input)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def serve(self, folder: Path) -> None:
        """Serve the files of a folder through the site's proxy, too."""
        packed = subprocess.run(["tar", "-C", str(folder), "-c", "."], capture_output=True, check=True).stdout
        self.output_of(SERVER, f"sudo mkdir -p {SERVED} && sudo tar -C {SERVED} -x", packed)

    def sql(self, statement: str) -> str:
        """Return the answer of the database."""
        return self.output_of(DATABASE, "sudo -u postgres psql -XqtA idr", statement.encode()).strip()

    def apply(self, *, live: str = "demo1", parade_in: Path | None = None, **wrong: str) -> tuple[int, str]:
        """Send the bundle; return the exit status and the output. `wrong` replaces sums.

        If `parade_in` is the folder with its lock file, OMERO.parade runs beside OMERO.web.
        """
        values = stacks.values("local")
        values |= {
            "omero": self.archives.settings(**wrong),
            "omeroImage": values["image"],
            **({"web": parade.of_guide()} if parade_in else {}),
            **self.settings,
        }
        source = reading.Source("local", "Pulumi.local.yaml", folder=parade_in or stacks.ROOT)
        stack_plan = plan(reading.parse(values, source), "local")
        # The settings refuse a proxy in the stack's own networks.
        proxies = stack_plan.settings.proxies.model_copy(update={"http": f"http://{ADDRESS}:{PROXY_PORT}"})
        releases = tuple(map(without_packages, stack_plan.releases))
        stack_plan = stacks.with_settings(
            dataclasses.replace(stack_plan, releases=releases), live=live, proxies=proxies
        )
        node = next(node for node in stack_plan.nodes if node.name == SERVER)
        bundle = render.bundle(node, stack_plan, self.secrets, {})
        done = self.on(SERVER, "sudo /usr/local/sbin/idr-apply", bundle.encode())
        return done.returncode, done.stdout.decode() + done.stderr.decode()


def without_packages(release: Scope) -> Scope:
    """Return the release without Ubuntu's packages, which Debian lacks."""
    nodes = tuple(dataclasses.replace(node, packages=()) for node in release.nodes)
    return dataclasses.replace(release, nodes=nodes)


def prepared(stack: Tenant) -> OfficialRelease:
    """Prepare a release: its own server serves the archives, and gets the programs that the guest image lacks."""
    folder = stack.folder / "archives"
    folder.mkdir()
    release = OfficialRelease(stack.service().ssh_config, stack.secrets(), distribution.make(folder, SITE))
    release.serve(folder)
    serve = f"python3 -m http.server --bind {ADDRESS} {PROXY_PORT}"
    release.output_of(SERVER, f"sudo systemd-run -q --unit site-proxy --working-directory /srv/web {serve}")
    release.output_of(SERVER, "sudo tee /etc/pip.conf", PIP.encode())
    # The guest image has no Java; a new one has unzip.
    for name, content in (
        (Path(JAVA).name, (distribution.HERE / "java").read_bytes()),
        ("unzip", Path("/usr/bin/unzip").read_bytes()),
    ):
        release.output_of(
            SERVER, f"sudo tee /usr/local/bin/{name} > /dev/null; sudo chmod 755 /usr/local/bin/{name}", content
        )
    release.output_of(SERVER, AS_A_CLOUD_IMAGE)
    return release


@contextmanager
def running(folder: Path) -> Iterator[OfficialRelease]:
    """Run a release in another project, prepared for the official distribution."""
    stack = tenant.make(folder)
    with stack.running():
        yield prepared(stack)


def until(release: OfficialRelease, command: str, seconds: float = HEAL_SECONDS) -> float:
    """Wait until a command succeeds on the server; return the seconds."""
    start = time.monotonic()
    wait_until(lambda: release.on(SERVER, command).returncode == 0, seconds, pause=1, state=lambda: command)
    return time.monotonic() - start
