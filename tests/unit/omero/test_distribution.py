"""The files on a machine of OMERO.server, and their owners: its distribution, jars and Python packages."""

import hashlib
import os
from typing import Any

import pytest

from harness import stacks
from model.addons import Addons
from model.downloads import Jar
from model.plan import Plan
from tests.unit.omero import machine as machines
from tests.unit.omero.conftest import PLAN, WRITER
from tests.unit.omero.machine import Machine

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="a machine of its own needs root: mounts and users"),
]

SERVER = "/opt/omero/server/OMERO.server"
# Paths in folders of omero-server, where the steps of root create something, and one beside them.
LINKED = {
    "tmp": "/var/lib/omero-server/tmp",
    "grid": f"{SERVER}/etc/grid",
    "repository": "/data/OMERO/ManagedRepository",
    "cache": "/data/BioFormatsCache",
}


def test_root_gives_nothing_away_and_starts_nothing_for_omero_server(machine: Machine) -> None:
    """Neither the targets of its links, nor the programs that its script for the schema could name to psql."""
    machine.output_of(
        'sed -i \'3i import os; open("/run/played/psql", "a").write(f"{os.getuid()} ")\' /usr/local/bin/psql &&'
        "install -m 666 /dev/null /run/played/psql && mkdir -m 700 /run/ours"
    )
    assert machine.apply(WRITER, PLAN)[0] == 0
    assert set(machine.output_of("cat /run/played/psql").split()) == {"546"}
    for name, path in LINKED.items():
        machine.output_of(
            f"mkdir -m 711 /run/ours/{name} && real=$(readlink -f {path}) &&rm -r $real && ln -s /run/ours/{name} $real"
        )
    machine.apply(WRITER, PLAN)
    owners = machine.output_of("stat -c '%n %U %a' /run/ours/*").splitlines()
    assert owners == [f"/run/ours/{name} root 711" for name in sorted(LINKED)]
    # Dangling links.
    machine.output_of("rm -r /run/ours/*")
    machine.apply(WRITER, PLAN)
    assert machine.output_of("ls /run/ours") == ""


def test_the_present_distribution_and_the_one_before_stay(deployed: Machine) -> None:
    sums = [digit * 64 for digit in "12"]
    for number in sums:
        status, output = deployed.apply(WRITER, PLAN, server_sum=number)
        assert status == 0, output
    folders = deployed.output_of("ls -d /opt/omero/server/OMERO.server-*").split()
    assert folders == [f"{SERVER}-{number[:12]}" for number in sums], "not the one that was deployed first"
    assert deployed.output_of(f"readlink {SERVER}").strip() == folders[-1]


FETCH = """#!/bin/bash
while [ "$1" != -o ]; do shift; done
echo another > "$2"
"""
"""Replaces curl for a site that has another file."""


def jar(file: str, **more: Any) -> Jar:
    return Jar(url=f"https://d.example.org/{file}", sha256=hashlib.sha256(file.encode()).hexdigest(), **more)


def with_jars(*jars: Jar) -> Plan:
    return stacks.with_settings(PLAN, omero=PLAN.settings.omero.model_copy(update={"jars": jars}))


def libraries(machine: Machine) -> dict[str, str]:
    """Return the jars in OMERO.server's lib by path, with the content of each, except the importer's own."""
    listing = machine.output_of(f"cd {SERVER} && for file in lib/*/*.jar; do echo $file $(cat $file); done")
    jars = dict(line.split(maxsplit=1) for line in listing.splitlines())
    del jars["lib/client/omero-blitz.jar"]
    return jars


def starts(machine: Machine) -> str:
    """Return the starts of OMERO.server so far."""
    return machine.output_of("cat /run/played/omero-server.starts")


def test_jars_are_added_exchanged_and_removed_and_the_server_restarts_with_each(deployed: Machine) -> None:
    reader = jar("OMEZarrReader-0.5.2.jar", name="OMEZarrReader.jar", client=True)
    buffer, newer = jar("omero-zarr-pixel-buffer-0.6.1.jar"), jar("omero-zarr-pixel-buffer-0.6.2.jar")
    assert libraries(deployed) == {}
    before, folders = starts(deployed), [deployed.output_of(f"readlink {SERVER}")]
    for jars in ((reader, buffer), (buffer, reader), (reader, newer), ()):
        status, output = deployed.apply(WRITER, with_jars(*jars))
        assert status == 0, output
        expected = {path: one.url for one in jars for path in one.paths}
        assert libraries(deployed) == expected
        started = starts(deployed)
        folder = deployed.output_of(f"readlink {SERVER}")
        # Another order of the same jars is no change.
        assert (started != before, folder not in folders[-1:]) == ((jars != (buffer, reader)),) * 2
        before, folders = started, [*folders, folder]
    assert folders[0] == folders[-1]
    assert {"lib/client/OMEZarrReader.jar", "lib/server/OMEZarrReader.jar"} == set(reader.paths)


def test_while_it_restarts_the_proxy_finds_the_node_away_and_asks_another(deployed: Machine) -> None:
    deployed.output_of("touch /run/played/omero-web-tls.runs && rm /run/played/log")
    assert deployed.apply(WRITER, PLAN)[0] == 0
    assert "omero-web-tls" not in deployed.output_of("cat /run/played/log")
    deployed.output_of("rm /run/played/log")
    assert deployed.apply(WRITER, with_jars(jar("a.jar")))[0] == 0
    assert deployed.output_of("grep omero- /run/played/log").splitlines() == [
        *("stop omero-web-tls", "stop omero-server", "start omero-server", "start omero-web-tls")
    ]
    # With a configuration that prevents its start, and with the former one again.
    deployed.output_of("echo 'NOW ERROR' > /run/played/fails && rm /run/played/log")
    assert deployed.apply(WRITER, with_jars(jar("b.jar")))[0] == 1
    assert deployed.output_of("grep omero- /run/played/log").splitlines()[-1] == "start omero-web-tls"


def test_only_root_writes_the_jars(deployed: Machine) -> None:
    assert deployed.apply(WRITER, with_jars(jar("a.jar", client=True)))[0] == 0
    assert deployed.output_of(f"stat -c '%U %a' {SERVER}/lib/*/a.jar").split() == ["root", "644"] * 2
    assert deployed.run(f"runuser -u omero-server -- touch {SERVER}/lib/server/a.jar").returncode != 0


def test_a_jar_with_another_sum_is_one_message_and_the_old_jars_stay(deployed: Machine) -> None:
    old, other = jar("a.jar"), Jar(url="https://d.example.org/b.jar", sha256="0" * 64)
    assert deployed.apply(WRITER, with_jars(old))[0] == 0
    before = starts(deployed)
    deployed.write({"/usr/local/bin/curl": FETCH.encode()})
    status, output = deployed.apply(WRITER, with_jars(old, other))
    assert status == 1
    (line,) = [line for line in output.splitlines() if line.startswith("omero.jars.")]
    assert line.startswith("omero.jars.1: https://d.example.org/b.jar has SHA-256 ")
    assert "The previous configuration is back in force." in output
    assert (libraries(deployed), starts(deployed)) == (
        {"lib/server/a.jar": old.url},
        before,
    )


def test_packages_of_python_are_another_environment_and_the_server_restarts(deployed: Machine) -> None:
    environments = [deployed.output_of("readlink /opt/omero/server/venv")]
    for text in ("omero-rois==0.4.1 --hash=sha256:0\n", "omero-rois==0.4.2 --hash=sha256:0\n", ""):
        addons = Addons("site/omero.lock", text) if text else None
        plan = stacks.with_settings(PLAN, omero=PLAN.settings.omero.model_copy(update={"addons": addons}))
        status, output = deployed.apply(WRITER, plan)
        assert status == 0, output
        environments.append(deployed.output_of("readlink /opt/omero/server/venv"))
    assert (len(set(environments)), environments[0]) == (3, environments[-1])
    assert len(starts(deployed).splitlines()) == 4


PIP = """#!/bin/bash
mkdir -p "$3/bin"
printf '#!/bin/bash\\necho "$@" >> /run/played/pip\\n[ ! -e /run/played/refuses ]\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""
"""Replaces python3 -m venv FOLDER; its pip records its calls."""


def test_an_environment_has_what_is_locked_by_hash_and_is_whole_or_not_used(deployed: Machine) -> None:
    deployed.write(
        {"/run/stubs/python3": PIP.encode(), "/run/own.txt": b"a==1\n", "/run/none.txt": b"", "/run/b.txt": b"b==2"}
    )
    command = """PATH=/run/stubs:$PATH; set -euo pipefail; . /usr/local/lib/idr/omero-downloads/common.sh
        make_environment /opt/venv /run/own.txt /run/none.txt /run/b.txt"""
    deployed.output_of("touch /run/played/refuses")
    assert deployed.run(command).returncode != 0
    assert deployed.run("test -e /opt/venv/.complete").returncode == 1
    deployed.output_of("rm /run/played/refuses /run/played/pip")
    deployed.output_of(command)
    asked = [line.partition("--no-deps ")[2] for line in deployed.output_of("cat /run/played/pip").splitlines()]
    assert asked[1:] == ["--require-hashes -r /run/own.txt", "--require-hashes -r /run/b.txt"]
    deployed.output_of(command)
    assert len(deployed.output_of("cat /run/played/pip").splitlines()) == len(asked), "whole already"


def test_another_url_with_the_sum_of_before_is_fetched_and_refused(deployed: Machine) -> None:
    deployed.write({"/usr/local/bin/curl": FETCH.encode()})
    folder = f"/var/cache/idr-downloads/{machines.server_sum()}"
    url = deployed.output_of(
        "awk '$1 == \"omero.server\" { print $3 }' /usr/local/lib/idr/omero-downloads/downloads"
    ).strip()
    deployed.write({f"{folder}/url": f"{url}\n".encode()})
    assert deployed.apply(WRITER, PLAN)[0] == 0, "the same URL is not fetched again"
    deployed.write({f"{folder}/url": b"https://d.example.org/older/server.zip\n"})
    status, output = deployed.apply(WRITER, PLAN)
    assert status == 1
    assert f"the settings say {machines.server_sum()}; not unpacked. To take another file" in output
    assert "idr pin --renew" in output
    assert deployed.output_of(f"ls {folder}").split()[0].endswith(".zip"), "the archive that was verified stays"
