"""A node of the demo that takes bundles of the official distribution: stand-ins of its archives, by a site's proxy."""

import dataclasses
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cloudinit import render
from harness import stacks
from harness.cloud.tenant import Tenant
from model import reading
from model.plan import Scope
from model.planning import plan
from model.secrets import Secrets
from tests import parade
from tests.omero_stand_in import distribution

SERVER = "demo1-omeroreadwrite"
DATABASE = "demo1-database"
ADDRESS = next(node.address for node in stacks.plan_of("local").nodes if node.name == SERVER)
SITE = "http://downloads.example.org"  # known to no DNS: only the site's proxy leads there
PROXY_PORT = 8080
# As a client asks a proxy, the whole URL is the path: a folder of that name answers.
SERVED = f"/srv/web/{SITE.replace('//', '/')}"
PIP = f"[global]\nno-index = true\nfind-links = {SITE}/\ntrusted-host = downloads.example.org\n"
AS_A_CLOUD_IMAGE = """
set -e
sudo systemctl disable -q --now omero-demo-image-server omero-web
sudo sh -c 'rm -r /opt/omero/web/* /etc/idr/omero /etc/omero-demo-image-server.env /var/lib/idr/*'
for user in omero-server omero-web; do sudo userdel --remove $user; done
"""
"""No image of a cloud has OMERO's users, folders or settings. The stand-in's Python stays: it is no part of OMERO's."""
JAVA = "/usr/local/bin/java"


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

    def serve(self, folder: Path) -> None:
        """Let the site's proxy have what is in a folder, too."""
        packed = subprocess.run(["tar", "-C", str(folder), "-c", "."], capture_output=True, check=True).stdout
        self.said(SERVER, f"sudo mkdir -p {SERVED} && sudo tar -C {SERVED} -x", packed)

    def sql(self, statement: str) -> str:
        """What the database answers."""
        return self.said(DATABASE, "sudo -u postgres psql -XqtA idr", statement.encode()).strip()

    def apply(self, *, live: str = "demo1", parade_in: Path | None = None, **wrong: str) -> tuple[int, str]:
        """Send the bundle; returns the exit status and what was said. `wrong` are other sums.

        With OMERO.parade beside OMERO.web, where `parade_in` is the folder with the lock file of its packages.
        """
        values = stacks.values("local")
        values |= {
            "omero": self.made.settings(**wrong),
            "omeroImage": values["image"],
            **({"web": parade.of_guide()} if parade_in else {}),
        }
        source = reading.Source("local", "Pulumi.local.yaml", folder=parade_in or stacks.ROOT)
        found = plan(reading.parse(values, source), "local")
        # The settings refuse a proxy among the stack's own machines.
        proxies = found.settings.proxies.model_copy(update={"http": f"http://{ADDRESS}:{PROXY_PORT}"})
        releases = tuple(map(without_packages, found.releases))
        found = stacks.with_settings(dataclasses.replace(found, releases=releases), live=live, proxies=proxies)
        node = next(node for node in found.nodes if node.name == SERVER)
        bundle = render.bundle(node, found, self.secrets, {})
        done = self.on(SERVER, "sudo /usr/local/sbin/idr-apply", bundle.encode())
        return done.returncode, done.stdout.decode() + done.stderr.decode()


def without_packages(release: Scope) -> Scope:
    """The release as it is here: Ubuntu's packages are not on Debian."""
    nodes = tuple(dataclasses.replace(node, packages=()) for node in release.nodes)
    return dataclasses.replace(release, nodes=nodes)


def prepared(stack: Tenant) -> Place:
    """The place, with the archives served by the server itself and the programs that the guest image lacks."""
    archives = stack.folder / "archives"
    archives.mkdir()
    place = Place(stack.service().ssh_config, stack.secrets(), distribution.make(archives, SITE))
    place.serve(archives)
    serve = f"python3 -m http.server --bind {ADDRESS} {PROXY_PORT}"
    place.said(SERVER, f"sudo systemd-run -q --unit site-proxy --working-directory /srv/web {serve}")
    place.said(SERVER, "sudo tee /etc/pip.conf", PIP.encode())
    # Java is not in the guest image; unzip is, from the next one on.
    for name, content in (
        (Path(JAVA).name, (distribution.HERE / "java").read_bytes()),
        ("unzip", Path("/usr/bin/unzip").read_bytes()),
    ):
        place.said(SERVER, f"sudo tee /usr/local/bin/{name} > /dev/null; sudo chmod 755 /usr/local/bin/{name}", content)
    place.said(SERVER, AS_A_CLOUD_IMAGE)
    return place
