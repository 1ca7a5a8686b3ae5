"""Servers to compare this proxy with: each serves the same plate page over TLS on loopback."""

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import proxy
from harness.ports import free_port
from harness.proxy import TEMPORARY, Nginx, wait_for
from model.plan import Plan

NOTHING = subprocess.DEVNULL
VARNISH = """vcl 4.1;
backend omeroweb { .host = "127.0.0.1"; .port = "%(backend)d"; }
sub vcl_recv { unset req.http.Cookie; }
sub vcl_backend_response { unset beresp.http.Set-Cookie; set beresp.ttl = 1d; }
"""
NGINX = """user %(user)s;
worker_processes auto;
worker_rlimit_nofile 32768;
pid %(folder)s/pid;
events { worker_connections 8192; }
http {
%(temporary)s
    types { image/jpeg jpg; }
    sendfile on;
    tcp_nopush on;
    ssl_session_cache shared:tls:10m;
    access_log %(folder)s/access.log combined buffer=64k flush=1s;
    server {
        listen 127.0.0.1:%(port)d %(listen)s;
        ssl_certificate %(certificate)s;
        ssl_certificate_key %(key)s;
        %(location)s
    }
}
"""


@dataclass(frozen=True)
class Tls:
    """Files of the certificate that every server uses."""

    certificate: Path
    key: Path


def tls_of(plan: Plan, folder: Path) -> Tls:
    """Write the certificate of a plan's proxy to files in a folder."""
    files, pair = proxy.rendered(plan), Tls(folder / "fullchain.pem", folder / "privkey.pem")
    for path in (pair.certificate, pair.key):
        path.write_text(files[str(proxy.GIVEN / path.name)])
    return pair


@contextmanager
def program(*command: object, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the end of the block; wait until its port accepts connections."""
    process = subprocess.Popen([str(part) for part in command], stdin=NOTHING, stdout=NOTHING, stderr=NOTHING)
    try:
        wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nginx(folder: Path, tls: Tls, location: str, *, encrypted: bool = True) -> Iterator[int]:
    """Run an nginx with one location block and Debian's defaults; yield its port."""
    folder.mkdir()
    for name in TEMPORARY:
        (folder / name).mkdir()
    port = free_port()
    values = {
        "user": getpass.getuser(),
        "folder": folder,
        "temporary": "".join(f"    {name}_temp_path {folder}/{name};\n" for name in TEMPORARY),
        "port": port,
        "listen": "ssl http2" if encrypted else "",
        "certificate": tls.certificate,
        "key": tls.key,
        "location": location,
    }
    config = folder / "nginx.conf"
    config.write_text(NGINX % values)
    with program(proxy.NGINX, "-c", config, "-g", f"daemon off; error_log {folder}/error.log;", port=port):
        yield port


def files_location(root: Path) -> str:
    """Return a location with the thumbnails as files. The final slash is removed: to nginx it means a folder."""
    return f"root {root}; location / {{ rewrite ^/webgateway/render_thumbnail/(\\d+)/$ /$1.jpg break; }}"


def proxy_location(backend: int) -> str:
    """Return a location with `proxy_pass` and no other settings: no cache, and a new connection for each request."""
    return f"location / {{ proxy_pass http://127.0.0.1:{backend}; }}"


@contextmanager
def varnish(folder: Path, tls: Tls, backend: int) -> Iterator[int]:
    """Run Debian's Varnish behind Debian's hitch, which terminates TLS; both support HTTP/2. Yield hitch's port."""
    folder.mkdir()
    vcl, pem = folder / "plate.vcl", folder / "hitch.pem"
    vcl.write_text(VARNISH % {"backend": backend})
    pem.write_text(tls.key.read_text() + tls.certificate.read_text())
    pem.chmod(0o600)
    inner, port = free_port(), free_port()
    settings = ["-p", "feature=+http2", "-p", "h2_max_concurrent_streams=128"]
    cache = ["varnishd", "-F", "-n", folder / "work", "-f", vcl, "-s", "malloc,256m", *settings]
    end: list[object] = [
        "hitch",
        f"--backend=[127.0.0.1]:{inner}",
        f"--frontend=[127.0.0.1]:{port}",
        "--write-proxy-v2=on",
    ]
    end += ["--alpn-protos=h2,http/1.1", f"--workers={os.cpu_count()}", "--quiet"]
    # hitch refuses to run as root; its package creates a user.
    end += [*(["--user=_hitch"] if os.geteuid() == 0 else []), pem]
    with program(*cache, "-a", f"127.0.0.1:{inner},PROXY", port=inner), program(*end, port=port):
        yield port


@contextmanager
def ours(folder: Path, plan: Plan, backends: dict[str, str]) -> Iterator[Nginx]:
    """Run this project's proxy in front of backends, whose addresses are given by node address."""
    folder.mkdir()
    with ExitStack() as stack:
        yield stack.enter_context(proxy.running(Nginx(folder, backends, plain=True), plan))
