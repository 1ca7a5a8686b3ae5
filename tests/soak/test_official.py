"""The way of the official OMERO.server and OMERO.web onto a machine, with a stand-in distribution, in a project apart.

Everything but the archives' content is the true thing: download through a site's proxy, sums, unpacking, pip,
`omero load`, `omero certificates`, `omero db script`, `omero admin start` and `stop`, the units, PostgreSQL. The bundle
goes to a machine as `pulumi up` sends it. What this cannot prove needs internet: `make verify-official`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cloud import tenant
from harness.cloud.service import Service
from tests import parade
from tests.omero_stand_in import distribution
from tests.soak.official import ADDRESS, DATABASE, JAVA, SERVER, SITE, Place, prepared

pytestmark = pytest.mark.cloud

OTHER_SUM = "0" * 64
WELL = "sudo /usr/local/lib/idr/omero-server/health"
BLITZ = "sudo OMERODIR=/opt/omero/server/OMERO.server /opt/ice-3.6.5/bin/icegridadmin -e 'server state Blitz-0'"
POSTGRESQL = "postgresql@15-main"
HEAL_SECONDS = 90
MEMBERSHIPS = """
select name, permissions from experimentergroup g join groupexperimentermap m on m.parent = g.id
join experimenter e on e.id = m.child where omename = 'public' order by name
"""
STATE = (
    "systemctl show -p MainPID omero-server omero-web; "
    "readlink /opt/omero/web/venv3 /opt/omero/server/OMERO.server /opt/omero/server/venv; "
    "sudo stat -c '%n %Y' /opt/omero/server/* /opt/ice-*"
)


@pytest.fixture(scope="module")
def place(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A release beside the running service."""
    assert service.outputs
    made = tenant.make(tmp_path_factory.mktemp("official"))
    with made.running():
        yield prepared(made)


# The tests of this module follow each other on one machine.


def test_a_wrong_sum_is_one_clear_message_and_nothing_is_unpacked(place: Place) -> None:
    status, said = place.apply(server=OTHER_SUM)
    assert status == 1
    assert f"omero.server: {SITE}/{distribution.SERVER} has SHA-256 " in said
    assert f"the settings say {OTHER_SUM}; not unpacked" in said
    assert "OMERO.server" not in place.said(SERVER, "ls /opt /opt/omero/server")


def test_the_server_is_installed_configured_and_running(place: Place) -> None:
    status, said = place.apply()
    assert (status, said.count("\n")) == (0, 1), said
    assert place.sql("select currentversion, currentpatch from dbpatch") == "OMERO5.4|0"
    assert place.sql("select count(*) from password where length(hash) = 24") == "2"  # root and public
    assert place.sql(MEMBERSHIPS) == "public|rwr---\nuser|rwr-r-"
    settings = place.said(SERVER, "sudo cat /opt/omero/server/OMERO.server/etc/grid/config.xml")
    assert '<property name="omero.jvmcfg.heap_size.blitz" value="' in settings
    limits = place.said(SERVER, "sudo cat /proc/$(systemctl show -P MainPID omero-server)/limits")
    assert next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")) == "16384"
    assert place.said(SERVER, "stat -c '%U %a' /data/OMERO/ManagedRepository").split() == ["omero-server", "2775"]


def test_omero_web_is_installed_and_talks_to_that_server(place: Place) -> None:
    assert place.said(SERVER, "readlink /opt/omero/web/venv3").startswith("/opt/omero/web/venv-")
    installed = place.said(SERVER, "/opt/omero/web/venv3/bin/pip list --format freeze")
    assert {"omero-web==5.33.2", "zeroc-ice==3.6.5"} <= set(installed.split())
    place.said(SERVER, "sudo /usr/local/lib/idr/web/health")


def test_packages_of_the_sites_own_are_in_an_environment_beside_and_the_way_back_is_a_link(
    place: Place, tmp_path: Path
) -> None:
    locked = parade.lock(tmp_path)
    (tmp_path / "wheels").mkdir()
    parade.fetch(locked, tmp_path / "wheels")
    place.serve(tmp_path / "wheels")
    link = "readlink /opt/omero/web/venv3"
    before = place.said(SERVER, link)
    status, said = place.apply(parade_in=tmp_path)
    assert status == 0, said
    assert place.said(SERVER, link) not in ("", before)
    installed = place.said(SERVER, "/opt/omero/web/venv3/bin/pip list --format freeze").split()
    assert {"omero-parade==0.2.4", "omero-web==5.33.2"} <= set(installed)
    assert "omero_parade" in place.said(SERVER, "sudo cat /opt/omero/web/OMERO.web/etc/grid/config.xml")
    place.said(SERVER, "sudo /usr/local/lib/idr/web/health")
    assert place.apply()[0] == 0
    assert place.said(SERVER, link) == before


def test_a_second_time_changes_nothing(place: Place) -> None:
    before = place.said(SERVER, STATE)
    assert place.apply()[0] == 0
    assert place.said(SERVER, STATE) == before


def test_a_wrong_sum_later_leaves_what_runs_alone(place: Place) -> None:
    before = place.said(SERVER, STATE)
    status, said = place.apply(server=OTHER_SUM)
    assert status == 1
    assert "not unpacked" in said
    assert "The previous configuration is back in force." in said
    assert place.said(SERVER, STATE) == before
    assert place.apply()[0] == 0


def test_no_password_is_readable_by_others(place: Place) -> None:
    names = ("database/omero", "omero/root")
    patterns = "\n".join(place.secrets.password(f"demo1/{name}") for name in names)
    where = "/opt /etc /var/lib/omero-server /var/log /proc/[0-9]*/cmdline"
    search = f"sudo runuser -u nobody -- grep -rlsF -f /dev/stdin {where} || true; echo searched"
    assert place.said(SERVER, search, patterns.encode()) == "searched\n"


def test_an_older_schema_is_not_upgraded_where_visitors_are(place: Place) -> None:
    place.sql("delete from dbpatch; insert into dbpatch (currentversion, currentpatch) values ('OMERO5.3', 1)")
    status, said = place.apply(live="demo1")
    assert status == 1
    assert "has the schema OMERO5.3__1, this OMERO.server needs OMERO5.4__0, and this release is live" in said
    assert place.sql("select count(*) from dbpatch where currentversion = 'OMERO5.4'") == "0"


def test_an_older_schema_is_upgraded_on_a_release_of_its_own(place: Place) -> None:
    status, said = place.apply(live="another")
    assert status == 0, said
    assert place.sql("select to_regclass('upgraded')") == "upgraded"
    assert place.sql("select currentversion from dbpatch order by id desc limit 1") == "OMERO5.4"


def until(place: Place, command: str, seconds: float = HEAL_SECONDS) -> float:
    """Wait on the server until a command works, which must be in time; returns the seconds."""
    start = time.monotonic()
    while place.on(SERVER, command).returncode:
        assert time.monotonic() < start + seconds, f"not within {seconds:.0f} s: {command}"
        time.sleep(1)
    return time.monotonic() - start


def test_it_comes_back_by_itself_after_it_was_killed(place: Place) -> None:
    place.said(SERVER, "sudo systemctl kill -s KILL omero-server; sleep 3")
    until(place, WELL, 120)


def test_both_ports_have_the_stacks_certificate_and_nothing_is_unencrypted(place: Place) -> None:
    for port in (4064, 4066):
        verify = f"-verify_return_error -verify_ip {ADDRESS} -CAfile /etc/idr/ca.crt"
        place.said(SERVER, f"openssl s_client -connect {ADDRESS}:{port} {verify} < /dev/null")
    for port in (4063, 4065):
        assert place.on(SERVER, f"timeout 5 bash -c '</dev/tcp/{ADDRESS}/{port}'").returncode != 0


def test_no_start_asks_for_upgrades(place: Place) -> None:
    log = place.said(SERVER, "sudo cat /opt/omero/server/OMERO.server/var/log/Blitz-0.log")
    assert "now accepting connections" in log
    assert "upgrade.openmicroscopy" not in log


def test_an_importer_reads_the_logging_settings_and_no_password(place: Place) -> None:
    etc, importer = "/opt/omero/server/OMERO.server/etc", "sudo runuser -u omero-import --"
    assert "OFF" in place.said(SERVER, f"{importer} cat {etc}/logback-cli.xml")
    assert "<maxFileSize>50MB<" in place.said(SERVER, f"{importer} cat {etc}/logback.xml")
    for closed in (f"{etc}/grid/config.xml", "/opt/omero/server/OMERO.server/var/log/Blitz-0.log"):
        assert place.on(SERVER, f"{importer} cat {closed}").returncode != 0
    owned = "find /opt/omero/server/OMERO.server/ -user omero-server ! -path '*/etc*' ! -path '*/var*'"
    assert place.said(SERVER, f"sudo {owned}") == ""


def test_omero_web_gives_its_password_to_no_other_server(place: Place) -> None:
    """One with a certificate of its own making, as OMERO's own are."""
    place.said(SERVER, "sudo cp -a /etc/idr/omero/server.pem /etc/idr/omero/kept.pem")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=omero -keyout /dev/stdout"
    place.said(SERVER, f"{make} 2> /dev/null | sudo tee /etc/idr/omero/server.pem > /dev/null")
    place.said(SERVER, "sudo systemctl restart omero-server")
    assert place.on(SERVER, "sudo /usr/local/lib/idr/web/health").returncode != 0
    assert b"certificate" in place.on(SERVER, WELL).stdout
    place.said(
        SERVER, "sudo cp -a /etc/idr/omero/kept.pem /etc/idr/omero/server.pem && sudo systemctl restart omero-server"
    )
    until(place, "sudo /usr/local/lib/idr/web/health")


def test_a_wrong_password_is_told_from_a_dead_server(place: Place) -> None:
    other = "update password set hash = reverse(hash) where experimenter_id > 1"
    place.sql(other)
    said = place.on(SERVER, WELL).stdout.decode()
    assert said.endswith(": OMERO.server refuses the password of the user public\n")
    place.sql(other)
    place.said(SERVER, WELL)


def test_a_database_that_is_late_delays_a_start_by_no_more_than_that(place: Place) -> None:
    place.said(DATABASE, f"sudo systemctl stop {POSTGRESQL}")
    place.said(SERVER, "sudo systemctl stop omero-server; sudo systemctl start --no-block omero-server")
    time.sleep(25)
    assert place.said(SERVER, "systemctl show -P ActiveState omero-server") == "activating\n"
    place.said(DATABASE, f"sudo systemctl start {POSTGRESQL}")
    print(f"well {until(place, WELL, 60):.0f} s after its database was back")


def test_a_blitz_that_icegrid_gave_up_is_started_again(place: Place) -> None:
    place.said(DATABASE, f"sudo systemctl stop {POSTGRESQL}")
    pid = place.said(SERVER, BLITZ).split("pid = ")[1].split(",")[0]
    place.said(SERVER, f"sudo kill -9 {pid}")
    until(place, f"{BLITZ} | grep -q disabled", 30)
    said = place.on(SERVER, WELL).stdout.decode()
    if "IceGrid runs" in said:  # otherwise it is being restarted already
        assert said.splitlines()[0].endswith("IceGrid runs, Blitz does not answer")
        assert "Caused by: org.postgresql.util.PSQLException: " in said
    time.sleep(20)
    place.said(DATABASE, f"sudo systemctl start {POSTGRESQL}")
    print(f"well {until(place, WELL):.0f} s after its database was back")
    place.said(SERVER, "sudo journalctl -q -u idr-heal --no-pager | grep 'omero-server: '")


def test_a_failed_start_names_its_cause_above_all_else(place: Place) -> None:
    place.said(SERVER, f"sudo sed -i 's/^VERSION = .*/VERSION = \"17.0.1\"/' {JAVA}")
    again = "sudo CHANGED=/opt/omero/server/config/idr.omero /usr/local/lib/idr/omero-server/activate"
    done = place.on(SERVER, again)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert lines[0] == "OMERO.server does not start:"
    assert lines[1].startswith("Caused by: java.lang.reflect.InaccessibleObjectException: ")
    place.said(SERVER, f"sudo sed -i 's/^VERSION = .*/VERSION = \"11.0.26\"/' {JAVA}")
    until(place, WELL, 600)
