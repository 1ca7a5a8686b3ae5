"""Runs a proxy node's nginx on loopback: the rendered configuration, with other paths, ports and upstreams."""

import getpass
import re
import socket
import ssl
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness import stacks
from harness.ports import free_port
from harness.rendered import files as rendered_files
from model.balancing import FIRST_HOP_PORT
from model.certificates import Certificate
from model.firewall import CACHE_BYPASS_PORT, OMERO_SSL_PORT, OMERO_WEBSOCKET_PORT, WEB_PORT
from model.omero_nodes import service_name
from model.plan import Node, Plan
from model.programs import SERVER_PORTS
from model.roles import Role

NGINX = "/usr/sbin/nginx"
SYSTEM_FOLDER = Path("/etc/nginx")
AUTHORITY = "/etc/idr/ca.crt"
GIVEN = SYSTEM_FOLDER / "tls" / "given"
VOLUMES = {"db": "0" * 20, "data": "1" * 20, "nginxcache": "2" * 20}
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
START_SECONDS = 10
HOP = rf"{str(FIRST_HOP_PORT)[:2]}\d\d"


class StartError(RuntimeError):
    """A server did not start; the text is its output."""


def proxy_node(plan: Plan) -> Node:
    """Return the first proxy of the plan's first release."""
    return plan.releases[0].with_role(Role.PROXY)[0]


def rendered(plan: Plan) -> dict[str, str]:
    """Return the files that the proxy's nginx reads on the machine, by path."""
    files = rendered_files(proxy_node(plan), plan, stacks.secrets_of(plan.stack))
    return {path: text for path, text in files.items() if path == AUTHORITY or Path(path).is_relative_to(SYSTEM_FOLDER)}


def trust(plan: Plan) -> ssl.SSLContext:
    """Return a TLS context that trusts the plan's authority. Names are not verified: the addresses are on loopback."""
    return _trust(plan.stack)


@cache
def _trust(stack: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=stacks.secrets_of(stack).authority.certificate)
    context.check_hostname = False
    return context


def certificate(plan: Plan) -> Certificate:
    """Return one certificate for all nodes of the first release, signed by the plan's authority."""
    release = plan.releases[0]
    names = (*(node.name for node in release.nodes), service_name(release))
    return stacks.secrets_of(plan.stack).certificate("test", names)


def wait_for(port: int, process: "subprocess.Popen[bytes] | None" = None, seconds: float = START_SECONDS) -> None:
    """Wait until a port of loopback accepts connections. Raises StartError when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    msg = f"nothing listens on port {port}"
    raise StartError(msg)


@dataclass(frozen=True)
class Nginx:
    """A proxy's nginx on this machine: its folder, ports and upstreams.

    `upstreams` maps node addresses to the addresses ("127.0.0.1:1234") of stand-ins for OMERO.web; other nodes get an
    address where nothing answers. The stand-ins use TLS with the certificate of `certificate`, unless `plain` is set,
    as in measurements. `trusted` are clients without limits.
    """

    folder: Path
    upstreams: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False
    trusted: str = "127.0.0.0/8"
    https: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)
    bypass: int = field(default_factory=free_port)
    omero: int = field(default_factory=free_port)
    omero_servers: dict[int, int] = field(default_factory=lambda: defaultdict(free_port))
    """The local port of each OMERO.server, by its port on the proxy."""
    hops: dict[int, int] = field(default_factory=lambda: defaultdict(free_port))
    """The local port of each of the proxy's servers between its cache and OMERO.web, by its port on the proxy."""

    @property
    def nothing(self) -> str:
        """An address of loopback where nothing listens."""
        return "127.0.0.1:9"

    def write(self, files: Mapping[str, str]) -> Path:
        """Adapt and write the files; return the path of nginx.conf."""
        for path, content in files.items():
            relative = Path(path).name if path == AUTHORITY else Path(path).relative_to(SYSTEM_FOLDER)
            target = self.folder / "etc" / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.adapt(content) if target.suffix == ".conf" else content)
        links = {name: SYSTEM_FOLDER / name for name in ("mime.types", "modules-enabled")}
        for name, target in {**links, "tls/acme": Path(GIVEN.name)}.items():
            link = self.folder / "etc" / name
            if not link.is_symlink():
                link.symlink_to(target)
        for name in ("cache", "log", *TEMPORARY):
            (self.folder / name).mkdir(exist_ok=True)
        return self.folder / "etc" / "nginx.conf"

    def adapt(self, text: str) -> str:
        """Adapt a configuration of a node's proxy to this nginx."""
        temporary = "".join(f"    {name}_temp_path {self.folder}/{name};\n" for name in TEMPORARY)
        text = text.replace("user www-data;", f"user {getpass.getuser()};").replace("http {\n", f"http {{\n{temporary}")
        folders = {"/etc/nginx/": "etc/", "/var/cache/nginx/": "cache/", "/var/log/nginx/": "log/", "/srv/": "srv/"}
        for old, new in folders.items():
            text = text.replace(old, f"{self.folder}/{new}")
        text = text.replace(AUTHORITY, f"{self.folder}/etc/{Path(AUTHORITY).name}")
        text = text.replace("/run/nginx.pid", f"{self.folder}/pid").replace("127.0.0.0/8 0;", f"{self.trusted} 0;")
        text = re.sub(rf"listen (?!127\.)\d+\.\d+\.\d+\.\d+:{CACHE_BYPASS_PORT};\n\s*", "", text, count=1)
        ports = {80: self.http, 443: self.https, CACHE_BYPASS_PORT: self.bypass, OMERO_SSL_PORT: self.omero}
        text = re.sub(rf"\b127\.0\.0\.1:({HOP})\b", lambda match: f"127.0.0.1:{self.hops[int(match[1])]}", text)
        text = re.sub(
            rf"listen (?:127\.0\.0\.1:)?({'|'.join(map(str, ports))})\b",
            lambda match: f"listen 127.0.0.1:{ports[int(match[1])]}",
            text,
        )
        text = re.sub(
            rf"listen ({'|'.join(map(str, SERVER_PORTS))})\b",
            lambda match: f"listen 127.0.0.1:{self.omero_servers[int(match[1])]}",
            text,
        )
        text = re.sub(rf"(?m)^(\s+){CACHE_BYPASS_PORT} ", rf"\g<1>{self.bypass} ", text)
        peer = rf"(server |https://)([\d.]+):({WEB_PORT}|{OMERO_SSL_PORT}|{OMERO_WEBSOCKET_PORT})\b"
        if self.plain:
            text = re.sub(rf"https://([\d.]+):{WEB_PORT}\b", rf"http://\1:{WEB_PORT}", text)
            peer = peer.replace("https", "https?")
        return re.sub(peer, lambda match: match[1] + self.upstreams.get(match[2], self.nothing), text)

    def log(self, name: str) -> str:
        """Return the content of a log of this nginx."""
        return (self.folder / "log" / name).read_text()


def check_configuration(config: Path, program: str = NGINX) -> subprocess.CompletedProcess[str]:
    """Run `nginx -t` for a configuration; the caller checks its exit status."""
    log = config.parent.parent / "log" / "error.log"
    command = [program, "-t", "-q", "-c", str(config), "-g", f"error_log {log};"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def running(nginx: Nginx, plan: Plan) -> Iterator[Nginx]:
    """Run the proxy of a plan until the end of the block."""
    config = nginx.write(rendered(plan))
    command = [NGINX, "-c", str(config), "-g", f"daemon off; error_log {nginx.folder}/log/error.log;"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        try:
            wait_for(nginx.https, process)
        except StartError:
            process.kill()
            errors = (process.stderr.read() if process.stderr else b"").decode()
            msg = f"nginx did not start: {errors}"
            raise StartError(msg) from None
        yield nginx
    finally:
        process.terminate()
        process.wait()
        if process.stderr:
            process.stderr.close()
