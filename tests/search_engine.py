"""The role of examples/search-engine on loopback: its own files and steps, at other paths and ports.

The archive of the engine is made of OpenSearch's own jars. A stand-in (search_application) replaces the application;
it is strict where the real one is known to be.
"""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness import stacks
from harness.ports import free_port
from harness.rendered import files
from harness.stacks import ROOT
from model.plan import Node, Plan
from tests import role_machine
from tests.role_machine import RoleMachine

EXAMPLE = ROOT / "examples" / "search-engine"
ROLE = EXAMPLE / "roles" / "searchengine"
APPLICATION = Path(__file__).with_name("search_application")
VERSION = "2.19.6"
JARS = (
    f"org.opensearch:opensearch:{VERSION}",
    f"org.opensearch:opensearch-plugin-classloader:{VERSION}",
    f"org.opensearch.plugin:transport-netty4-client:{VERSION}",
    "org.apache.logging.log4j:log4j-core:2.25.4",
)
MODULE = f"""\
name=transport-netty4
description=HTTP and transport
version={VERSION}
opensearch.version={VERSION}
java.version=11
classname=org.opensearch.transport.Netty4Plugin
extended.plugins=
has.native.controller=false
"""
RIGHTS = """\
grant codeBase "${codebase.netty-common}" {
  permission java.lang.RuntimePermission "accessClassInPackage.sun.nio.ch";
  permission java.net.SocketPermission "*", "accept,connect";
  permission java.util.PropertyPermission "*", "read,write";
};
grant codeBase "${codebase.netty-transport}" { permission java.net.SocketPermission "*", "accept,connect"; };
grant codeBase "${codebase.transport-netty4-client}" {
  permission java.net.SocketPermission "*", "accept,connect";
  permission java.util.PropertyPermission "*", "read,write";
};
"""
LOG = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1.}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
LAUNCHER = """\
#!/bin/bash
home=$(readlink -f "$(dirname "$0")/..")
exec "$OPENSEARCH_JAVA_HOME/bin/java" $OPENSEARCH_JAVA_OPTS -Djava.security.manager=allow \\
  -Djava.io.tmpdir="$RUNTIME_DIRECTORY" -Dopensearch.path.home="$home" -Dopensearch.path.conf="$OPENSEARCH_PATH_CONF" \\
  -Dopensearch.distribution.type=tar -cp "$home/lib/*" org.opensearch.bootstrap.OpenSearch
"""
CONFIG = "/etc/searchengine/.app_config.yml"


def plan_of(folder: Path = ROOT) -> Plan:
    """Return the plan of the public IDR with the example."""
    return role_machine.plan_of(EXAMPLE, folder)


def node_of(plan: Plan) -> Node:
    """Return the node with the role."""
    return next(node for node in plan.nodes if "searchengine" in node.roles)


def project(folder: Path) -> Path:
    """Write a Maven project that names the jars; return its file."""
    needed = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(
            *jar.split(":")
        )
        for jar in JARS
    )
    file = folder / "pom.xml"
    file.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>idr</groupId>'
        f"<artifactId>engine</artifactId><version>1</version><dependencies>{needed}</dependencies></project>"
    )
    return file


def pack_engine(jars: Path, archive: Path) -> None:
    """Write an archive like OpenSearch's: jars, the one module that it needs, settings and its start program."""
    with tarfile.open(archive, "w:gz") as tar:
        for jar in sorted(jars.glob("*.jar")):
            is_module = jar.name.startswith(("netty-", "transport-netty4"))
            tar.add(jar, f"opensearch/{'modules/transport-netty4' if is_module else 'lib'}/{jar.name}")
        for name, text, mode in (
            ("modules/transport-netty4/plugin-descriptor.properties", MODULE, 0o644),
            ("modules/transport-netty4/plugin-security.policy", RIGHTS, 0o644),
            ("config/log4j2.properties", LOG, 0o644),
            ("bin/opensearch", LAUNCHER, 0o755),
        ):
            about = tarfile.TarInfo(f"opensearch/{name}")
            about.size, about.mode = len(text), mode
            tar.addfile(about, io.BytesIO(text.encode()))
        # An archive has these folders, and OpenSearch opens them.
        about = tarfile.TarInfo("opensearch/plugins")
        about.type, about.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(about)


def pack_application(archive: Path) -> None:
    """Write the stand-in for the application as an archive of a repository."""
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(APPLICATION, "application-1", filter=lambda one: None if "__pycache__" in one.name else one)


@dataclass
class Machine(RoleMachine):
    """The role, with a folder as the root of its machine. Accounts are that of the test and `nobody`."""

    role = "searchengine"
    served = "5577"
    do_units_run = False
    start_seconds = 90
    folders = (
        *("opt/searchengine", "srv/search", "etc/searchengine", "etc/idr", "usr/local/lib/idr"),
        *("var/log/search", "var/lib/search"),
    )
    archives: Path
    ports: dict[str, int] = field(
        default_factory=lambda: {port: free_port() for port in ("5577", "9200", "9300", "9243", "5578")}
    )
    heap: str = "-Xms512m -Xmx512m"

    def __post_init__(self) -> None:
        plan = plan_of()
        self._address = str(node_of(plan).address)
        self._texts = files(node_of(plan), plan, stacks.secrets_of("idr"))
        self.install()

    def install(self) -> None:
        """Put the role's files and scripts at their paths on a node."""
        for path, text in self._texts.items():
            if "search" in path or path == "/etc/idr/ca.crt":
                self.write(path, text)
        for script in (ROLE / "scripts").iterdir():
            self.write(f"/usr/local/lib/idr/searchengine/{script.name}", script.read_text()).chmod(0o755)
        self.write_steps_of_the_program()
        self.name_archives()

    def name_archives(self, **sums: str) -> None:
        """Put the archives and their sums into the settings; `sums` replaces the sums."""
        lines = []
        for name in ("engine", "application"):
            file = self.archives / f"{name}.tar.gz"
            lines.append(f"{name} {sums.get(name, sha256(file.read_bytes()).hexdigest())} file://{file}\n")
        self.write("/usr/local/lib/idr/searchengine/downloads", "".join(lines))

    @property
    def address(self) -> str:
        return self._address

    def served_here(self) -> int:
        return self.ports["5578"]

    def other_ports(self) -> Mapping[str, int]:
        return self.ports

    def left_alone(self) -> tuple[tuple[str, str], ...]:
        return (
            ('id -u "$account" > /dev/null 2>&1 ||', "true ||"),
            ("chown search-app", "true"),
            ("runuser -u search-app --", "env"),
            ("--cacert", "--resolve idr:1:127.0.0.1 -k --cacert"),
            ("-Xms1g -Xmx1g", self.heap),
        )

    def environment(self) -> dict[str, str]:
        """Return the environment with the settings of the stand-in."""
        return {"DEPLOYED": f"{self.folder}{CONFIG}"}

    @contextmanager
    def running(self, name: str, *account: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a unit's command until the block ends, with `account` before it."""
        command, environment, folder = self.unit(name)
        runtime = self.folder / "run" / name
        subprocess.run(["rm", "-rf", str(runtime)], check=True)
        runtime.mkdir(parents=True)
        runtime.chmod(0o777)
        command = command.replace(f"/run/{name}/", f"{runtime}/").replace(" -Ws ", " -W ")
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*account, "bash", "-c", f"exec {command}"],
                env={**os.environ, **environment, "RUNTIME_DIRECTORY": str(runtime)} | self.environment(),
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                process.terminate()
                process.wait(60)

    def engine(self, path: str, **request: Any) -> str:
        """Return the engine's answer to the role's own command for operators."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in request.items()]
        command = [f"{self.folder}/usr/local/lib/idr/searchengine/ask-engine", path]
        for option in options:
            command += option.split("=", 1)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
