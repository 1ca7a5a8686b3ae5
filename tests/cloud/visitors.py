"""What the browser tests do to the service: pre-warm it, empty its caches, stop OMERO.web."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.browser.chromium import Site
from harness.cloud.service import Service
from harness.stacks import ROOT


def prewarm(service: Service, folder: Path, *options: str) -> None:
    """Empty the proxy's caches and pre-warm them, so that they hold the answers to `idr prewarm` and nothing else."""
    empty_caches(service)
    authority = folder / "ca.crt"
    authority.write_text(service.outputs["certificateAuthority"])
    command = [str(ROOT / "bin" / "idr"), "prewarm", "--url", service.outputs["endpoints"]["web"].rstrip("/")]
    command += ["--host", site(service).name, "--ca-file", str(authority), "--state", str(folder / "state")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def site(service: Service) -> Site:
    """Return the address and name of the service: no name server here knows the name."""
    return Site("demo.idr.internal", f"{service.address('omero')}:443", service.outputs["certificateAuthority"])


def empty_caches(service: Service) -> None:
    """Delete the proxy's cached answers, and restart nginx, which keeps open files otherwise."""
    script = "systemctl stop nginx && find /var/cache/nginx -type f -delete; systemctl start nginx"
    service.on(service.node("proxy"), f"sudo sh -c '{script}'")


@contextmanager
def omero_web_stopped(service: Service) -> Iterator[None]:
    """Stop every OMERO.web while the block runs."""
    hosts = service.outputs["inventory"]["_meta"]["hostvars"]
    nodes = [node for node in service.nodes if "web" in hosts[node]["idr_roles"]]
    for node in nodes:
        service.on(node, "sudo systemctl stop omero-web")
    try:
        yield
    finally:
        for node in nodes:
            service.on(node, "sudo systemctl start omero-web")
