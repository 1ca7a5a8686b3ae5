"""The official OMERO.server and OMERO.web are installed, updated and closed to others (tests/soak/official.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cloud.service import Service
from tests import parade
from tests.omero_stand_in import distribution
from tests.soak import official
from tests.soak.official import ADDRESS, SERVER, SITE, OfficialRelease

pytestmark = pytest.mark.cloud

OTHER_SUM = "0" * 64
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
def release(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficialRelease]:
    """Run a release beside the running service."""
    assert service.outputs
    with official.running(tmp_path_factory.mktemp("official")) as running_release:
        yield running_release


# These tests run in this order on one machine.


def test_a_wrong_sum_is_one_clear_message_and_nothing_is_unpacked(release: OfficialRelease) -> None:
    status, output = release.apply(server=OTHER_SUM)
    assert status == 1
    assert f"omero.server: {SITE}/{distribution.SERVER} has SHA-256 " in output
    assert f"the settings say {OTHER_SUM}; not unpacked" in output
    assert "OMERO.server" not in release.output_of(SERVER, "ls /opt /opt/omero/server")


def test_the_server_is_installed_configured_and_running(release: OfficialRelease) -> None:
    status, output = release.apply()
    assert (status, output.count("\n")) == (0, 1), output
    assert release.sql("select currentversion, currentpatch from dbpatch") == "OMERO5.4|0"
    assert release.sql("select count(*) from password where length(hash) = 24") == "2"  # root and public
    assert release.sql(MEMBERSHIPS) == "public|rwr---\nuser|rwr-r-"
    settings = release.output_of(SERVER, "sudo cat /opt/omero/server/OMERO.server/etc/grid/config.xml")
    assert '<property name="omero.jvmcfg.heap_size.blitz" value="' in settings
    limits = release.output_of(SERVER, "sudo cat /proc/$(systemctl show -P MainPID omero-server)/limits")
    assert next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")) == "16384"
    assert release.output_of(SERVER, "stat -c '%U %a' /data/OMERO/ManagedRepository").split() == [
        "omero-server",
        "2775",
    ]


def test_omero_web_is_installed_and_talks_to_that_server(release: OfficialRelease) -> None:
    assert release.output_of(SERVER, "readlink /opt/omero/web/venv3").startswith("/opt/omero/web/venv-")
    installed = release.output_of(SERVER, "/opt/omero/web/venv3/bin/pip list --format freeze")
    assert {"omero-web==5.33.2", "zeroc-ice==3.6.5"} <= set(installed.split())
    release.output_of(SERVER, "sudo /usr/local/lib/idr/web/health")


def test_packages_of_the_sites_own_are_in_an_environment_beside_and_the_way_back_is_a_link(
    release: OfficialRelease, tmp_path: Path
) -> None:
    locked = parade.lock(tmp_path)
    (tmp_path / "wheels").mkdir()
    parade.fetch(locked, tmp_path / "wheels")
    release.serve(tmp_path / "wheels")
    link = "readlink /opt/omero/web/venv3"
    before = release.output_of(SERVER, link)
    status, output = release.apply(parade_in=tmp_path)
    assert status == 0, output
    assert release.output_of(SERVER, link) not in ("", before)
    installed = release.output_of(SERVER, "/opt/omero/web/venv3/bin/pip list --format freeze").split()
    assert {"omero-parade==0.2.4", "omero-web==5.33.2"} <= set(installed)
    assert "omero_parade" in release.output_of(SERVER, "sudo cat /opt/omero/web/OMERO.web/etc/grid/config.xml")
    release.output_of(SERVER, "sudo /usr/local/lib/idr/web/health")
    assert release.apply()[0] == 0
    assert release.output_of(SERVER, link) == before


def test_a_second_time_changes_nothing(release: OfficialRelease) -> None:
    before = release.output_of(SERVER, STATE)
    assert release.apply()[0] == 0
    assert release.output_of(SERVER, STATE) == before


def test_a_wrong_sum_later_leaves_what_runs_alone(release: OfficialRelease) -> None:
    before = release.output_of(SERVER, STATE)
    status, output = release.apply(server=OTHER_SUM)
    assert status == 1
    assert "not unpacked" in output
    assert "The previous configuration is back in force." in output
    assert release.output_of(SERVER, STATE) == before
    assert release.apply()[0] == 0


def test_no_password_is_readable_by_others(release: OfficialRelease) -> None:
    names = ("database/omero", "omero/root")
    patterns = "\n".join(release.secrets.password(f"demo1/{name}") for name in names)
    where = "/opt /etc /var/lib/omero-server /var/log /proc/[0-9]*/cmdline"
    search = f"sudo runuser -u nobody -- grep -rlsF -f /dev/stdin {where} || true; echo searched"
    assert release.output_of(SERVER, search, patterns.encode()) == "searched\n"


def test_an_older_schema_is_not_upgraded_where_visitors_are(release: OfficialRelease) -> None:
    release.sql("delete from dbpatch; insert into dbpatch (currentversion, currentpatch) values ('OMERO5.3', 1)")
    status, output = release.apply(live="demo1")
    assert status == 1
    assert "has the schema OMERO5.3__1, this OMERO.server needs OMERO5.4__0, and this release is live" in output
    assert release.sql("select count(*) from dbpatch where currentversion = 'OMERO5.4'") == "0"


def test_an_older_schema_is_upgraded_on_a_release_of_its_own(release: OfficialRelease) -> None:
    status, output = release.apply(live="another")
    assert status == 0, output
    assert release.sql("select to_regclass('upgraded')") == "upgraded"
    assert release.sql("select currentversion from dbpatch order by id desc limit 1") == "OMERO5.4"


def test_both_ports_have_the_stacks_certificate_and_nothing_is_unencrypted(release: OfficialRelease) -> None:
    for port in (4064, 4066):
        verify = f"-verify_return_error -verify_ip {ADDRESS} -CAfile /etc/idr/ca.crt"
        release.output_of(SERVER, f"openssl s_client -connect {ADDRESS}:{port} {verify} < /dev/null")
    for port in (4063, 4065):
        assert release.on(SERVER, f"timeout 5 bash -c '</dev/tcp/{ADDRESS}/{port}'").returncode != 0


def test_no_start_asks_for_upgrades(release: OfficialRelease) -> None:
    log = release.output_of(SERVER, "sudo cat /opt/omero/server/OMERO.server/var/log/Blitz-0.log")
    assert "now accepting connections" in log
    assert "upgrade.openmicroscopy" not in log


def test_an_importer_reads_the_logging_settings_and_no_password(release: OfficialRelease) -> None:
    etc, importer = "/opt/omero/server/OMERO.server/etc", "sudo runuser -u omero-import --"
    assert "OFF" in release.output_of(SERVER, f"{importer} cat {etc}/logback-cli.xml")
    assert "<maxFileSize>50MB<" in release.output_of(SERVER, f"{importer} cat {etc}/logback.xml")
    for closed in (f"{etc}/grid/config.xml", "/opt/omero/server/OMERO.server/var/log/Blitz-0.log"):
        assert release.on(SERVER, f"{importer} cat {closed}").returncode != 0
    owned = "find /opt/omero/server/OMERO.server/ -user omero-server ! -path '*/etc*' ! -path '*/var*'"
    assert release.output_of(SERVER, f"sudo {owned}") == ""
