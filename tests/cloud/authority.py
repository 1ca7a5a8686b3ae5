"""A public certificate authority in the cloud's external network: Pebble, with which Let's Encrypt tests."""

import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from dev.cloud.layout import EXTERNAL
from harness.cloud import outsider
from model.secrets import Secrets

SOURCE = Path(__file__).with_name("pebble")
PROGRAM = "github.com/letsencrypt/pebble/v2/cmd/pebble"
ADDRESS = str(EXTERNAL[3])
"""Apart from the addresses of the cloud and the machine, and below those of routers."""
MANAGEMENT_PORT = 15000
START_SECONDS = 20
NAMESPACE = "authority"
# Without waits before validation and without the random refusals that make certbot repeat a request.
SETTINGS = "PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0"
# It resolves one name, like public DNS.
MACHINE = f"""
cd "$1"
mount --bind hosts /etc/hosts
exec env {SETTINGS} ./pebble -config pebble.json
"""


@dataclass(frozen=True)
class Authority:
    """Its directory, the authority of the directory's certificate, and its root; both PEM."""

    directory: str
    directory_authority: str
    root: str


@contextmanager
def running(folder: Path, names: dict[str, str]) -> Iterator[Authority]:
    """Run the authority, for which `names` resolve to these addresses."""
    own = Secrets("authority", "signs the directory's certificate, in tests")
    certificate = own.certificate("directory", (ADDRESS,))
    build(folder / "pebble")
    (folder / "hosts").write_text("".join(f"{address} {name}\n" for name, address in names.items()))
    (folder / "directory.crt").write_text(certificate.certificate)
    (folder / "directory.key").write_text(certificate.key)
    (folder / "pebble.json").write_text(json.dumps({"pebble": configuration(folder)}))
    trust = ssl.create_default_context(cadata=own.authority.certificate)
    with outsider.machine(NAMESPACE, ADDRESS), (folder / "log").open("wb") as log:
        command = outsider.start(NAMESPACE, ["sh", "-ec", MACHINE, "machine", str(folder)])
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            root = wait_for_root(trust, process, folder / "log")
            yield Authority(f"https://{ADDRESS}/dir", own.authority.certificate, root)
        finally:
            process.kill()
            process.wait()


def build(program: Path) -> None:
    """Build it from the Go module proxy, by locked sums."""
    command = ["go", "build", "-trimpath", "-mod=readonly", "-o", str(program), PROGRAM]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run(command, cwd=SOURCE, env=environment, check=True, capture_output=True)


def configuration(folder: Path) -> dict[str, object]:
    """Write its configuration: the directory is on the port of HTTPS, validation is on that of HTTP."""
    return {
        "listenAddress": f"{ADDRESS}:443",
        "managementListenAddress": f"{ADDRESS}:{MANAGEMENT_PORT}",
        "certificate": str(folder / "directory.crt"),
        "privateKey": str(folder / "directory.key"),
        "httpPort": 80,
        "tlsPort": 443,
    }


def wait_for_root(trust: ssl.SSLContext, process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait for the root certificate, which it creates at its start."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return httpx.get(f"https://{ADDRESS}:{MANAGEMENT_PORT}/roots/0", verify=trust).text
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
