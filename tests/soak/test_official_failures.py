"""The official OMERO.server and OMERO.web after failures: killed, refused, or without their database."""

import time
from collections.abc import Iterator

import pytest

from harness.cloud.service import Service
from tests.soak import official
from tests.soak.official import DATABASE, JAVA, POSTGRESQL, SERVER, WELL, OfficialRelease, until

pytestmark = pytest.mark.cloud

BLITZ = "sudo OMERODIR=/opt/omero/server/OMERO.server /opt/ice-3.6.5/bin/icegridadmin -e 'server state Blitz-0'"


@pytest.fixture(scope="module")
def release(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficialRelease]:
    """Run a release beside the running service, with OMERO installed."""
    assert service.outputs
    with official.running(tmp_path_factory.mktemp("official")) as running_release:
        status, output = running_release.apply()
        assert status == 0, output
        yield running_release


# These tests run in this order on one machine.


def test_it_comes_back_by_itself_after_it_was_killed(release: OfficialRelease) -> None:
    release.output_of(SERVER, "sudo systemctl kill -s KILL omero-server; sleep 3")
    until(release, WELL, 120)


def test_omero_web_gives_its_password_to_no_other_server(release: OfficialRelease) -> None:
    """The other server has a self-signed certificate, as OMERO's own servers have."""
    release.output_of(SERVER, "sudo cp -a /etc/idr/omero/server.pem /etc/idr/omero/kept.pem")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=omero -keyout /dev/stdout"
    release.output_of(SERVER, f"{make} 2> /dev/null | sudo tee /etc/idr/omero/server.pem > /dev/null")
    release.output_of(SERVER, "sudo systemctl restart omero-server")
    assert release.on(SERVER, "sudo /usr/local/lib/idr/web/health").returncode != 0
    assert b"certificate" in release.on(SERVER, WELL).stdout
    release.output_of(
        SERVER, "sudo cp -a /etc/idr/omero/kept.pem /etc/idr/omero/server.pem && sudo systemctl restart omero-server"
    )
    until(release, "sudo /usr/local/lib/idr/web/health")


def test_a_wrong_password_is_distinguished_from_a_dead_server(release: OfficialRelease) -> None:
    other = "update password set hash = reverse(hash) where experimenter_id > 1"
    release.sql(other)
    output = release.on(SERVER, WELL).stdout.decode()
    assert output.endswith(": OMERO.server refuses the password of the user public\n")
    release.sql(other)
    release.output_of(SERVER, WELL)


def test_a_database_that_is_late_delays_a_start_by_no_more_than_that(release: OfficialRelease) -> None:
    release.output_of(DATABASE, f"sudo systemctl stop {POSTGRESQL}")
    release.output_of(SERVER, "sudo systemctl stop omero-server; sudo systemctl start --no-block omero-server")
    time.sleep(25)
    assert release.output_of(SERVER, "systemctl show -P ActiveState omero-server") == "activating\n"
    release.output_of(DATABASE, f"sudo systemctl start {POSTGRESQL}")
    print(f"well {until(release, WELL, 60):.0f} s after its database was back")


def test_a_blitz_that_icegrid_gave_up_is_started_again(release: OfficialRelease) -> None:
    release.output_of(DATABASE, f"sudo systemctl stop {POSTGRESQL}")
    pid = release.output_of(SERVER, BLITZ).split("pid = ")[1].split(",")[0]
    release.output_of(SERVER, f"sudo kill -9 {pid}")
    until(release, f"{BLITZ} | grep -q disabled", 30)
    output = release.on(SERVER, WELL).stdout.decode()
    if "IceGrid runs" in output:  # otherwise idr-heal is already restarting it
        assert output.splitlines()[0].endswith("IceGrid runs, Blitz does not answer")
        assert "Caused by: org.postgresql.util.PSQLException: " in output
    time.sleep(20)
    release.output_of(DATABASE, f"sudo systemctl start {POSTGRESQL}")
    print(f"well {until(release, WELL):.0f} s after its database was back")
    release.output_of(SERVER, "sudo journalctl -q -u idr-heal --no-pager | grep 'omero-server: '")


def test_a_failed_start_names_its_cause_above_all_else(release: OfficialRelease) -> None:
    release.output_of(SERVER, f"sudo sed -i 's/^VERSION = .*/VERSION = \"17.0.1\"/' {JAVA}")
    again = "sudo CHANGED=/opt/omero/server/config/idr.omero /usr/local/lib/idr/omero-server/activate"
    done = release.on(SERVER, again)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1
    assert lines[0] == "OMERO.server does not start:"
    assert lines[1].startswith("Caused by: java.lang.reflect.InaccessibleObjectException: ")
    release.output_of(SERVER, f"sudo sed -i 's/^VERSION = .*/VERSION = \"11.0.26\"/' {JAVA}")
    until(release, WELL, 600)
