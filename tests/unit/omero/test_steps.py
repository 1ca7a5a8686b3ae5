"""The steps of OMERO.server's roles, on a machine as clouds create it, with stand-ins as strict as real programs."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import verify_official
from harness import stacks
from model.visitors import Visitors
from tests.unit.omero import machine as machines
from tests.unit.omero.conftest import PLAN, WRITER
from tests.unit.omero.machine import Machine

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="a machine of its own needs root: mounts and users"),
]

READER = next(node for node in PLAN.nodes if node.alias == "omeroreadonly-1")
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


@pytest.fixture(scope="module")
def applied(once_deployed: Machine) -> Iterator[Machine]:
    """Deploy a read-write server once, for tests that leave it as it is. Others have `deployed`, their own copy."""
    with machines.copied(once_deployed) as copy:
        yield copy


def test_a_new_database_gets_its_schema_and_the_public_user(applied: Machine) -> None:
    database = applied.database()
    assert database["groups"] == {"public": "read-only"}
    assert database["users"]["public"] == {
        "id": 2,
        "groups": ["public"],
        "hash": _hash(PLAN.settings.public_password, 2),
    }
    assert database["mark"] == machines.server_sum()[:12]
    # Nothing is done a second time.
    assert applied.apply(WRITER, PLAN)[0] == 0
    assert applied.database() == database


USERS = stacks.with_settings(PLAN, visitors=Visitors.LOGIN)


def test_where_users_log_in_nobody_is_public_and_the_health_test_is_a_guest(machine: Machine) -> None:
    status, output = machine.apply(WRITER, USERS)
    assert (status, output.count("\n")) == (0, 1), output
    database = machine.database()
    assert (database["users"].keys(), database["groups"]) == ({"root"}, {})
    machine.output_of("/usr/local/lib/idr/omero-server/health")
    assert machine.database()["logged_in"] == "guest"


def test_the_published_password_lets_nobody_in_when_a_public_stack_becomes_private(deployed: Machine) -> None:
    assert deployed.apply(WRITER, USERS)[0] == 0
    users = deployed.database()["users"]
    assert users["public"]["hash"] is None
    # It can log in again when the service becomes public again.
    assert deployed.apply(WRITER, PLAN)[0] == 0
    assert deployed.database()["users"]["public"]["hash"] == _hash(PLAN.settings.public_password, 2)


def test_a_user_that_was_not_created_at_the_first_attempt_is_created_at_the_second(machine: Machine) -> None:
    machine.database(blitz="dead")
    assert machine.apply(WRITER, PLAN)[0] == 1
    machine.database(blitz="alive", groups={"public": "read-only"})
    status, output = machine.apply(WRITER, PLAN)
    assert status == 0, output
    assert "public" in machine.database()["users"]


def test_a_read_only_node_needs_no_user_of_the_images(machine: Machine) -> None:
    machine.output_of("mkdir -p /data/OMERO-readonly/ManagedRepository")
    public = {"id": 2, "hash": ""}
    machine.database(schema="OMERO5.4__0", mark=machines.server_sum()[:12], users={"public": public})
    machine.database(users={"public": public | {"hash": _hash(PLAN.settings.public_password, 2)}})
    status, output = machine.apply(READER, PLAN)
    assert status == 0, output
    assert machine.output_of("id -u omero-server && stat -c %U /data/OMERO").split() == ["546", "omero-server"]
    assert machine.output_of("readlink /data/OMERO/FullText").strip() == "/data/OMERO-readonly/FullText"


def test_a_failed_start_names_its_root_cause_first(machine: Machine) -> None:
    old = "2020-01-01 00:00:00,000 ERROR [x] (main) of another day\nCaused by: java.lang.Error: old\n"
    machine.write({"/run/played/fails": (old + LOG).encode()})
    status, output = machine.apply(WRITER, PLAN)
    assert status == 1
    lines = output.splitlines()
    assert lines[0].endswith("role omero-server: activate failed (exit status 1):")
    assert lines[1:3] == ["OMERO.server does not start:", ROOT_CAUSE]
    assert "of another day" not in output
    assert "java.lang.Error: old" not in output


@pytest.mark.parametrize(
    ("blitz", "message"),
    [
        ("inactive (disabled)", "Blitz has ended: inactive (disabled)"),
        ("activating (pid = 7, enabled)", "IceGrid has ended"),
    ],
)
def test_a_start_does_not_wait_for_what_has_ended(deployed: Machine, blitz: str, message: str) -> None:
    """idr-heal does not touch a service that starts, so the start itself must end."""
    deployed.database(blitz="dead")
    deployed.write({"/opt/ice-3.6.5/bin/icegridadmin": f"#!/bin/sh\necho '{blitz}'\n".encode()})
    # IceGrid ends after three seconds.
    done = deployed.run("sleep 3 & MAINPID=$! timeout 20 /usr/local/lib/idr/omero-server/started")
    assert (done.returncode, done.stdout.decode().strip()) == (1, message)
    deployed.database(blitz="alive")
    deployed.output_of("MAINPID=$$ /usr/local/lib/idr/omero-server/started")


def health(machine: Machine) -> list[str]:
    """Return the output of the health test, which must fail."""
    done = machine.run("/usr/local/lib/idr/omero-server/health")
    assert done.returncode == 1
    assert b"stdin is not a terminal" not in done.stdout + done.stderr
    return done.stdout.decode().splitlines()


def test_the_health_message_names_a_wrong_password(deployed: Machine) -> None:
    users = deployed.database()["users"]
    deployed.database(users=users | {"public": users["public"] | {"hash": "another"}})
    (line,) = health(deployed)
    assert line.endswith(": OMERO.server refuses the password of the user public")


def test_the_health_message_names_a_dead_blitz_and_its_cause(deployed: Machine) -> None:
    deployed.database(blitz="dead")
    log = f"{SERVER}/var/log"
    deployed.output_of(f"mkdir -p {log} && sed \"s/^NOW/$(date '+%F %T')/\" > {log}/Blitz-0.log", LOG.encode())
    lines = health(deployed)
    assert lines[0].endswith(": IceGrid runs, Blitz does not answer")
    assert lines[1] == ROOT_CAUSE


def test_the_health_message_names_a_service_that_does_not_run(deployed: Machine) -> None:
    deployed.output_of("systemctl stop omero-server")
    deployed.database(blitz="dead")
    lines = health(deployed)
    assert lines[0].endswith(": omero-server.service is failed")
    # The lines of the unit's journal that are no dots.
    assert lines[1:] == ["Failed to startup some components after 300 seconds"]


@pytest.mark.parametrize("broken", [[], ["hql"]])
def test_verifying_leaves_no_image_behind(deployed: Machine, broken: list[str]) -> None:
    deployed.database(broken=broken, images=None)
    done = deployed.run(verify_official.SCRIPT)
    assert (done.returncode == 0) == (broken == []), done.stderr.decode()
    assert deployed.database()["images"] == []


def test_an_importer_needs_no_more_than_to_log_in(applied: Machine) -> None:
    command = "umask; echo $OMERODIR; omero import --transfer ln_s --skip upgrade -T Dataset:1 /uod/idr/a.tiff"
    output = applied.output_of(f"runuser -l omero-import -c '{command}'").splitlines()
    assert output == ["0002", SERVER, "Image:7"]


def test_a_curator_imports_by_one_command(applied: Machine) -> None:
    command = "/usr/local/bin/omero-import --transfer ln_s --skip upgrade -T Dataset:1 /uod/idr/a.tiff"
    # Like sudo: another account's environment, in a folder that it cannot read.
    assert applied.output_of(f"cd /root && runuser -u omero-import -- env -i PATH=/usr/bin {command}") == "Image:7\n"
    assert applied.output_of("stat -c '%U %a' /usr/local/bin/omero-import") == "root 755\n"


@pytest.mark.parametrize(
    "option", ["--clientdir", "--cl", "--logback=/tmp/x", "--bulk", "--file=/tmp/x", "--fetch-jars"]
)
def test_a_curator_can_have_the_importer_run_and_write_nothing_else(applied: Machine, option: str) -> None:
    """OMERO's command line accepts abbreviated options, too. It would run the jars of `--clientdir`."""
    done = applied.run(f"runuser -u omero-import -- env -i PATH=/usr/bin /usr/local/bin/omero-import {option} /tmp /a")
    assert done.returncode == 2
    assert f"omero-import: {option} is not possible here".encode() in done.stderr


def test_only_what_the_server_writes_is_its_own_and_passwords_are_closed(applied: Machine) -> None:
    importer = "runuser -u omero-import --"
    assert applied.run(f"{importer} cat {SERVER}/etc/logback-cli.xml").returncode == 0
    for closed in ("etc/grid", "var"):
        assert applied.run(f"{importer} ls {SERVER}/{closed}").returncode != 0
    assert applied.output_of(f"find {SERVER}/ -user omero-server ! -path '*/etc*' ! -path '*/var*'") == ""
    assert applied.run(f"runuser -u omero-server -- touch {SERVER}/lib/server/another.jar").returncode != 0
    assert "<maxFileSize>50MB<" in applied.output_of(f"cat {SERVER}/etc/logback.xml")


def test_who_imports_calls_the_worker_with_no_module_of_their_own(applied: Machine) -> None:
    applied.write({"/run/mine/json.py": b"print('mine')\n"})
    command = "runuser -u omero-import -- env -i PATH=/usr/bin /usr/local/bin/idr-import report none"
    about = json.loads(applied.output_of(f"cd /run/mine && {command}"))
    assert (about["state"], about["rows"]) == ("unknown", 0)
    assert applied.output_of("stat -c '%U %G %a' /data/imports") == "omero-import omero-server 750\n"
    settings = json.loads(applied.output_of("cat /etc/idr/import.json"))
    assert settings["mounts"] == [one.mount for one in PLAN.settings.raw_images()]
    assert (settings["folders"], settings["database_gib"] > 0) == ([], True)


def test_images_are_written_by_the_server_and_by_in_place_imports_alone(applied: Machine) -> None:
    repository = "/data/OMERO/ManagedRepository"
    assert applied.output_of(f"stat -c '%U %G %a' {repository}") == "omero-server omero-server 2775\n"
    group = applied.output_of("getent group omero-server").strip().split(":")
    assert group[3] == "", "nobody joins the group"
    of_group = f"awk -F: '$4 == {group[2]} {{ print $1 }}' /etc/passwd"
    assert set(applied.output_of(of_group).split()) == {"omero-server", "omero-import"}
    for account, may in (("omero-server", True), ("omero-import", True), ("nobody", False)):
        done = applied.run(f"runuser -u {account} -- mkdir {repository}/of-{account}")
        assert (done.returncode == 0) == may, account


def test_the_storage_report_runs_as_the_servers_user(applied: Machine) -> None:
    scan = Path(stacks.ROOT / "idr" / "storage" / "scan").glob("*.py")
    applied.write({f"/usr/local/lib/idr-storage/scan/{file.name}": file.read_bytes() for file in scan}, 0o644)
    lists = {"nfs": b"# Source, mount point, options.\n", "s3": b"# Unit, mount point, bucket.\n"}
    applied.write({f"/usr/local/lib/idr/{role}/mounts": text for role, text in lists.items()}, 0o644)
    # The database does not name it, but it is younger than a minute.
    applied.output_of("runuser -u omero-server -- touch /data/OMERO/ManagedRepository/new.tif")
    report = json.loads(applied.output_of("/usr/local/lib/idr/omero-readwrite/storage-report").splitlines()[-1])[
        "report"
    ]
    assert report["studies"] == {}
    assert all(kind["files"] == 0 for kind in report["faults"].values())
    assert applied.output_of("stat -c %U /data/OMERO/.idr-storage-report.json") == "omero-server\n"
    applied.write({"/usr/local/lib/idr/nfs/mounts": lists["nfs"] + b"nas:/idr /uod/idr ro\n"}, 0o644)
    done = applied.run("/usr/local/lib/idr/omero-readwrite/storage-report")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"no report: /uod/idr is not mounted\n")


def _hash(password: str, number: int) -> str:
    return base64.b64encode(hashlib.md5(f"{password} {number}".encode()).digest()).decode()  # noqa: S324  # as OMERO does
