"""The steps of OMERO.server's roles, run on a machine as clouds give it, beside programs as strict as the true ones."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import verify_official
from harness import stacks
from model.addons import Addons
from model.downloads import Jar
from model.plan import Plan
from model.visitors import Visitors
from tests.unit.omero import machine as machines
from tests.unit.omero.machine import Machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a machine of its own needs root: mounts and users")

PLAN = stacks.plan_of("ebi")
WRITER, READER = (next(n for n in PLAN.nodes if n.alias == alias) for alias in ("omeroreadwrite", "omeroreadonly-1"))
SERVER = "/opt/omero/server/OMERO.server"
ROOT_CAUSE = "Caused by: org.postgresql.util.PSQLException: FATAL: the database system is starting up"
LOG = f"""NOW,000 INFO  [ome.services.blitz.Entry] (main) Starting
NOW,100 ERROR [ome.services.blitz.Entry] (main) Error on startup
org.springframework.beans.factory.BeanCreationException: Error creating bean
Caused by: org.hibernate.HibernateException: could not init listeners
\tat org.hibernate.cfg.Configuration
{ROOT_CAUSE}
\t... 42 more
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with machines.running(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A read-write server, deployed for the first time."""
    with machines.running(tmp_path_factory.mktemp("applied")) as made:
        status, said = made.apply(WRITER, PLAN)
        assert (status, said.count("\n")) == (0, 1), said
        yield made


def test_a_new_database_gets_its_schema_and_the_public_user(applied: Machine) -> None:
    database = applied.database()
    assert database["groups"] == {"public": "read-only"}
    assert database["users"]["public"] == {
        "id": 2,
        "groups": ["public"],
        "hash": _hash(PLAN.settings.public_password, 2),
    }
    assert database["mark"] == _server_sum()[:12]
    # Nothing is done a second time.
    assert applied.apply(WRITER, PLAN)[0] == 0
    assert applied.database() == database


USERS = stacks.with_settings(PLAN, visitors=Visitors.LOGIN)


def test_where_users_log_in_nobody_is_public_and_the_health_test_is_a_guest(machine: Machine) -> None:
    status, said = machine.apply(WRITER, USERS)
    assert (status, said.count("\n")) == (0, 1), said
    database = machine.database()
    assert (database["users"].keys(), database["groups"]) == ({"root"}, {})
    machine.said("/usr/local/lib/idr/omero-server/health")
    assert machine.database()["logged_in"] == "guest"


def test_the_published_password_lets_nobody_in_when_a_public_stack_becomes_private(machine: Machine) -> None:
    assert machine.apply(WRITER, PLAN)[0] == 0
    assert machine.apply(WRITER, USERS)[0] == 0
    users = machine.database()["users"]
    assert users["public"]["hash"] is None
    # And in again, when it becomes public again.
    assert machine.apply(WRITER, PLAN)[0] == 0
    assert machine.database()["users"]["public"]["hash"] == _hash(PLAN.settings.public_password, 2)


def test_a_user_that_was_not_made_at_the_first_attempt_is_made_at_the_second(machine: Machine) -> None:
    machine.database(blitz="dead")
    assert machine.apply(WRITER, PLAN)[0] == 1
    machine.database(blitz="alive", groups={"public": "read-only"})
    status, said = machine.apply(WRITER, PLAN)
    assert status == 0, said
    assert "public" in machine.database()["users"]


def test_a_read_only_node_needs_no_user_of_the_images(machine: Machine) -> None:
    machine.said("mkdir -p /data/OMERO-readonly/ManagedRepository")
    public = {"id": 2, "hash": ""}
    machine.database(schema="OMERO5.4__0", mark=_server_sum()[:12], users={"public": public})
    machine.database(users={"public": public | {"hash": _hash(PLAN.settings.public_password, 2)}})
    status, said = machine.apply(READER, PLAN)
    assert status == 0, said
    assert machine.said("id -u omero-server && stat -c %U /data/OMERO").split() == ["546", "omero-server"]
    assert machine.said("readlink /data/OMERO/FullText").strip() == "/data/OMERO-readonly/FullText"


def test_a_failed_start_names_its_root_cause_first(machine: Machine) -> None:
    old = "2020-01-01 00:00:00,000 ERROR [x] (main) of another day\nCaused by: java.lang.Error: old\n"
    machine.write({"/run/played/fails": (old + LOG).encode()})
    status, said = machine.apply(WRITER, PLAN)
    assert status == 1
    lines = said.splitlines()
    assert lines[0].endswith("role omero-server: activate failed (exit status 1):")
    assert lines[1:3] == ["OMERO.server does not start:", ROOT_CAUSE]
    assert "of another day" not in said
    assert "java.lang.Error: old" not in said


@pytest.mark.parametrize(
    ("blitz", "said"),
    [
        ("inactive (disabled)", "Blitz has ended: inactive (disabled)"),
        ("activating (pid = 7, enabled)", "IceGrid has ended"),
    ],
)
def test_a_start_does_not_wait_for_what_has_ended(applied: Machine, blitz: str, said: str) -> None:
    """A service that starts is left alone by idr-heal, so that the start itself must end."""
    applied.database(blitz="dead")
    applied.write({"/opt/ice-3.6.5/bin/icegridadmin": f"#!/bin/sh\necho '{blitz}'\n".encode()})
    # IceGrid ends after three seconds.
    done = applied.run("sleep 3 & MAINPID=$! timeout 20 /usr/local/lib/idr/omero-server/started")
    assert (done.returncode, done.stdout.decode().strip()) == (1, said)
    applied.database(blitz="alive")
    applied.said("MAINPID=$$ /usr/local/lib/idr/omero-server/started")


def health(machine: Machine) -> list[str]:
    """What the health test says, which must fail."""
    done = machine.run("/usr/local/lib/idr/omero-server/health")
    assert done.returncode == 1
    assert b"stdin is not a terminal" not in done.stdout + done.stderr
    return done.stdout.decode().splitlines()


def test_the_health_message_names_a_wrong_password(applied: Machine) -> None:
    users = applied.database()["users"]
    applied.database(users=users | {"public": users["public"] | {"hash": "another"}})
    (line,) = health(applied)
    assert line.endswith(": OMERO.server refuses the password of the user public")
    applied.database(users=users)


def test_the_health_message_names_a_dead_blitz_and_its_cause(applied: Machine) -> None:
    applied.database(blitz="dead")
    log = f"{SERVER}/var/log"
    applied.said(f"mkdir -p {log} && sed \"s/^NOW/$(date '+%F %T')/\" > {log}/Blitz-0.log", LOG.encode())
    lines = health(applied)
    assert lines[0].endswith(": IceGrid runs, Blitz does not answer")
    assert lines[1] == ROOT_CAUSE
    applied.database(blitz="alive")


def test_the_health_message_names_a_service_that_does_not_run(applied: Machine) -> None:
    applied.said("systemctl stop omero-server")
    applied.database(blitz="dead")
    lines = health(applied)
    assert lines[0].endswith(": omero-server.service is failed")
    # Of the unit's journal what is no dot.
    assert lines[1:] == ["Failed to startup some components after 300 seconds"]
    applied.database(blitz="alive")


@pytest.mark.parametrize("broken", [[], ["hql"]])
def test_verifying_leaves_no_image_behind(applied: Machine, broken: list[str]) -> None:
    applied.database(broken=broken, images=None)
    done = applied.run(verify_official.SCRIPT)
    assert (done.returncode == 0) == (broken == []), done.stderr.decode()
    assert applied.database()["images"] == []


def test_an_importer_needs_no_more_than_to_log_in(applied: Machine) -> None:
    command = "umask; echo $OMERODIR; omero import --transfer ln_s --skip upgrade -T Dataset:1 /uod/idr/a.tiff"
    said = applied.said(f"runuser -l omero-import -c '{command}'").splitlines()
    assert said == ["0002", SERVER, "Image:7"]


def test_a_curator_imports_by_one_command(applied: Machine) -> None:
    command = "/usr/local/bin/omero-import --transfer ln_s --skip upgrade -T Dataset:1 /uod/idr/a.tiff"
    # As sudo does: another account's environment, in a folder that it cannot read.
    assert applied.said(f"cd /root && runuser -u omero-import -- env -i PATH=/usr/bin {command}") == "Image:7\n"
    assert applied.said("stat -c '%U %a' /usr/local/bin/omero-import") == "root 755\n"


def test_who_imports_calls_the_worker_with_no_module_of_their_own(applied: Machine) -> None:
    applied.write({"/run/mine/json.py": b"print('mine')\n"})
    command = "runuser -u omero-import -- env -i PATH=/usr/bin /usr/local/bin/idr-import report none"
    about = json.loads(applied.said(f"cd /run/mine && {command}"))
    assert (about["state"], about["rows"]) == ("unknown", 0)
    assert applied.said("stat -c '%U %G %a' /data/imports") == "omero-import omero-server 750\n"
    settings = json.loads(applied.said("cat /etc/idr/import.json"))
    assert settings["mounts"] == [mount.mount for mount in PLAN.settings.nfs_mounts]
    assert (settings["folders"], settings["database_gib"] > 0) == ([], True)


def test_only_what_the_server_writes_is_its_own_and_passwords_are_closed(applied: Machine) -> None:
    importer = "runuser -u omero-import --"
    assert applied.run(f"{importer} cat {SERVER}/etc/logback-cli.xml").returncode == 0
    for closed in ("etc/grid", "var"):
        assert applied.run(f"{importer} ls {SERVER}/{closed}").returncode != 0
    assert applied.said(f"find {SERVER}/ -user omero-server ! -path '*/etc*' ! -path '*/var*'") == ""
    assert applied.run(f"runuser -u omero-server -- touch {SERVER}/lib/server/another.jar").returncode != 0
    assert "<maxFileSize>50MB<" in applied.said(f"cat {SERVER}/etc/logback.xml")


# Places in folders of omero-server's, where the steps of root make something, and one beside them.
PLACES = {
    "tmp": "/var/lib/omero-server/tmp",
    "grid": f"{SERVER}/etc/grid",
    "repository": "/data/OMERO/ManagedRepository",
    "cache": "/data/BioFormatsCache",
}


def test_root_gives_nothing_away_and_starts_nothing_for_omero_server(machine: Machine) -> None:
    """Neither what its links lead to, nor the programs that its script for the schema could name to psql."""
    machine.said(
        'sed -i \'3i import os; open("/run/played/psql", "a").write(f"{os.getuid()} ")\' /usr/local/bin/psql &&'
        "install -m 666 /dev/null /run/played/psql && mkdir -m 700 /run/ours"
    )
    assert machine.apply(WRITER, PLAN)[0] == 0
    assert set(machine.said("cat /run/played/psql").split()) == {"546"}
    for name, place in PLACES.items():
        machine.said(
            f"mkdir -m 711 /run/ours/{name} && real=$(readlink -f {place}) &&"
            f"rm -r $real && ln -s /run/ours/{name} $real"
        )
    machine.apply(WRITER, PLAN)
    found = machine.said("stat -c '%n %U %a' /run/ours/*").splitlines()
    assert found == [f"/run/ours/{name} root 711" for name in sorted(PLACES)]
    # Links that lead nowhere yet.
    machine.said("rm -r /run/ours/*")
    machine.apply(WRITER, PLAN)
    assert machine.said("ls /run/ours") == ""


def test_the_present_distribution_and_the_one_before_stay(machine: Machine) -> None:
    sums = [digit * 64 for digit in "123"]
    for number in sums:
        status, said = machine.apply(WRITER, PLAN, server_sum=number)
        assert status == 0, said
    found = machine.said("ls -d /opt/omero/server/OMERO.server-*").split()
    assert found == [f"{SERVER}-{number[:12]}" for number in sums[1:]]
    assert machine.said(f"readlink {SERVER}").strip() == found[-1]


FETCH = """#!/bin/bash
while [ "$1" != -o ]; do shift; done
echo another > "$2"
"""
"""curl, of a site that has another file."""


def jar(file: str, **more: Any) -> Jar:
    return Jar(url=f"https://d.example.org/{file}", sha256=hashlib.sha256(file.encode()).hexdigest(), **more)


def with_jars(*jars: Jar) -> Plan:
    return stacks.with_settings(PLAN, omero=PLAN.settings.omero.model_copy(update={"jars": jars}))


def libraries(machine: Machine) -> dict[str, str]:
    """The jars in OMERO.server's lib by their place, with what is in each."""
    found = machine.said(f"cd {SERVER} && for file in lib/*/*.jar; do [ ! -e $file ] || echo $file $(cat $file); done")
    return dict(line.split() for line in found.splitlines())


def test_jars_are_added_exchanged_and_removed_and_the_server_restarts_with_each(machine: Machine) -> None:
    reader = jar("OMEZarrReader-0.5.2.jar", name="OMEZarrReader.jar", client=True)
    buffer, newer = jar("omero-zarr-pixel-buffer-0.6.1.jar"), jar("omero-zarr-pixel-buffer-0.6.2.jar")
    before = ""
    folders: list[str] = []
    for jars in ((), (reader, buffer), (buffer, reader), (reader, newer), ()):
        status, said = machine.apply(WRITER, with_jars(*jars))
        assert status == 0, said
        expected = {path: one.url for one in jars for path in one.paths}
        assert libraries(machine) == expected
        started = machine.said("cat /run/played/omero-server.starts")
        folder = machine.said(f"readlink {SERVER}")
        # Their order is nothing new.
        assert (started != before, folder not in folders[-1:]) == ((jars != (buffer, reader)),) * 2
        before, folders = started, [*folders, folder]
    assert folders[0] == folders[-1]
    assert {"lib/client/OMEZarrReader.jar", "lib/server/OMEZarrReader.jar"} == set(reader.paths)


def test_only_root_writes_the_jars(machine: Machine) -> None:
    assert machine.apply(WRITER, with_jars(jar("a.jar", client=True)))[0] == 0
    assert machine.said(f"stat -c '%U %a' {SERVER}/lib/*/a.jar").split() == ["root", "644"] * 2
    assert machine.run(f"runuser -u omero-server -- touch {SERVER}/lib/server/a.jar").returncode != 0


def test_a_jar_with_another_sum_is_one_message_and_the_old_jars_stay(machine: Machine) -> None:
    old, other = jar("a.jar"), Jar(url="https://d.example.org/b.jar", sha256="0" * 64)
    assert machine.apply(WRITER, with_jars(old))[0] == 0
    before = machine.said("cat /run/played/omero-server.starts")
    machine.write({"/usr/local/bin/curl": FETCH.encode()})
    status, said = machine.apply(WRITER, with_jars(old, other))
    assert status == 1
    (line,) = [line for line in said.splitlines() if line.startswith("omero.jars.")]
    assert line.startswith("omero.jars.1: https://d.example.org/b.jar has SHA-256 ")
    assert "The previous configuration is back in force." in said
    assert (libraries(machine), machine.said("cat /run/played/omero-server.starts")) == (
        {"lib/server/a.jar": old.url},
        before,
    )


def test_packages_of_python_are_another_environment_and_the_server_restarts(machine: Machine) -> None:
    found = []
    for text in ("", "omero-rois==0.4.1 --hash=sha256:0\n", "omero-rois==0.4.2 --hash=sha256:0\n", ""):
        addons = Addons("site/omero.lock", text) if text else None
        plan = stacks.with_settings(PLAN, omero=PLAN.settings.omero.model_copy(update={"addons": addons}))
        status, said = machine.apply(WRITER, plan)
        assert status == 0, said
        found.append(machine.said("readlink /opt/omero/server/venv"))
    assert (len(set(found)), found[0]) == (3, found[-1])
    assert machine.said("wc -l < /run/played/omero-server.starts").strip() == "4"


PIP = """#!/bin/bash
mkdir -p "$3/bin"
printf '#!/bin/bash\\necho "$@" >> /run/played/pip\\n[ ! -e /run/played/refuses ]\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""
"""python3 -m venv FOLDER, whose pip writes down what it is asked for."""


def test_an_environment_has_what_is_locked_by_hash_and_is_whole_or_not_used(machine: Machine) -> None:
    assert machine.apply(WRITER, PLAN)[0] == 0
    machine.write(
        {"/run/stubs/python3": PIP.encode(), "/run/own.txt": b"a==1\n", "/run/none.txt": b"", "/run/b.txt": b"b==2"}
    )
    command = """PATH=/run/stubs:$PATH; set -euo pipefail; . /usr/local/lib/idr/omero-downloads/common.sh
        make_environment /opt/venv /run/own.txt /run/none.txt /run/b.txt"""
    machine.said("touch /run/played/refuses")
    assert machine.run(command).returncode != 0
    assert machine.run("test -e /opt/venv/.complete").returncode == 1
    machine.said("rm /run/played/refuses /run/played/pip")
    machine.said(command)
    asked = [line.partition("--no-deps ")[2] for line in machine.said("cat /run/played/pip").splitlines()]
    assert asked[1:] == ["--require-hashes -r /run/own.txt", "--require-hashes -r /run/b.txt"]
    machine.said(command)
    assert len(machine.said("cat /run/played/pip").splitlines()) == len(asked), "whole already"


def test_another_url_with_the_sum_of_before_is_fetched_and_refused(machine: Machine) -> None:
    assert machine.apply(WRITER, PLAN)[0] == 0
    machine.write({"/usr/local/bin/curl": FETCH.encode()})
    folder = f"/var/cache/idr-downloads/{_server_sum()}"
    url = machine.said("awk '$1 == \"omero.server\" { print $3 }' /usr/local/lib/idr/omero-downloads/downloads").strip()
    machine.write({f"{folder}/url": f"{url}\n".encode()})
    assert machine.apply(WRITER, PLAN)[0] == 0, "the same URL is not fetched again"
    machine.write({f"{folder}/url": b"https://d.example.org/older/server.zip\n"})
    status, said = machine.apply(WRITER, PLAN)
    assert status == 1
    assert f"the settings say {_server_sum()}; not unpacked. To take another file" in said
    assert "idr pin --renew" in said
    assert machine.said(f"ls {folder}").split()[0].endswith(".zip"), "the archive that was verified stays"


def test_the_storage_report_is_made_as_the_servers_user(applied: Machine) -> None:
    scan = Path(stacks.ROOT / "idr" / "storage" / "scan").glob("*.py")
    applied.write({f"/usr/local/lib/idr-storage/scan/{file.name}": file.read_bytes() for file in scan}, 0o644)
    lists = {"nfs": b"# Source, mount point, options.\n", "s3": b"# Unit, mount point, bucket.\n"}
    applied.write({f"/usr/local/lib/idr/{role}/mounts": text for role, text in lists.items()}, 0o644)
    # The database does not name it, but it is younger than a minute.
    applied.said("runuser -u omero-server -- touch /data/OMERO/ManagedRepository/new.tif")
    report = json.loads(applied.said("/usr/local/lib/idr/omero-readwrite/storage-report").splitlines()[-1])["report"]
    assert report["studies"] == {}
    assert all(kind["files"] == 0 for kind in report["faults"].values())
    assert applied.said("stat -c %U /data/OMERO/.idr-storage-report.json") == "omero-server\n"
    applied.write({"/usr/local/lib/idr/nfs/mounts": lists["nfs"] + b"nas:/idr /uod/idr ro\n"}, 0o644)
    done = applied.run("/usr/local/lib/idr/omero-readwrite/storage-report")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"no report: /uod/idr is not mounted\n")


def _server_sum() -> str:
    return hashlib.sha256(b"server").hexdigest()


def _hash(password: str, number: int) -> str:
    return base64.b64encode(hashlib.md5(f"{password} {number}".encode()).digest()).decode()  # noqa: S324  # as OMERO does
