"""What the tests with a browser do to the service: pre-warm it, empty its caches, stop OMERO.web."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.browser.chromium import Site
from harness.cloud.service import Service
from harness.stacks import ROOT


def prewarm(service: Service, folder: Path, *options: str) -> None:
    """Empty the proxy's caches and pre-warm: it has kept what `idr prewarm` asks for, and nothing else."""
    empty_caches(service)
    authority = folder / "ca.crt"
    authority.write_text(service.outputs["certificateAuthority"])
    command = [str(ROOT / "bin" / "idr"), "prewarm", "--url", service.outputs["endpoints"]["web"].rstrip("/")]
    command += ["--host", site(service).name, "--ca-file", str(authority), "--state", str(folder / "state")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def site(service: Service) -> Site:
    """Where the service is: no name server here knows its name."""
    return Site("demo.idr.internal", f"{service.address('omero')}:443", service.outputs["certificateAuthority"])


def empty_caches(service: Service) -> None:
    """Delete what the proxy has kept; nginx itself would go on with files that it has open."""
    script = "systemctl stop nginx && find /var/cache/nginx -type f -delete; systemctl start nginx"
    service.on(service.node("proxy"), f"sudo sh -c '{script}'")


@contextmanager
def omero_web_stopped(service: Service) -> Iterator[None]:
    """No OMERO.web answers."""
    hosts = service.outputs["inventory"]["_meta"]["hostvars"]
    nodes = [node for node in service.nodes if "web" in hosts[node]["idr_roles"]]
    for node in nodes:
        service.on(node, "sudo systemctl stop omero-web")
    try:
        yield
    finally:
        for node in nodes:
            service.on(node, "sudo systemctl start omero-web")
