"""Locations that `idr transfer` takes, and those that it refuses."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from idr.__main__ import app
from idr.transfer.locations import problem, unmounted


@pytest.mark.parametrize(
    "location",
    [
        *("/data/OMERO", "s3:bucket/path", "./-odd", "sftp:/srv,old/token=1", ":local:/data", "store,region=eu:bucket"),
        *(":s3,env_auth=true,endpoint=https://s3.example.org:bucket", ":sftp,key_file=/home/me/.ssh/id:/data"),
    ],
)
def test_a_location_is_accepted(location: str) -> None:
    assert problem(location) == ""


@pytest.mark.parametrize(
    "location",
    [
        *(":s3,access_key_id=a,secret_access_key=hunter2:bucket", "store,secret_access_key=hunter2:bucket"),
        *(":sftp,host=h,pass=hunter2:/data", ":swift,auth_token=hunter2:b", ":azureblob,account=a,key=hunter2:b"),
        *(":s3,endpoint=https://s3.example.org,secret_access_key=hunter2:b", ":s3,session_token='hunter2':b"),
        *(":swift,application_credential_secret=hunter2:b", ":azureblob,sas_url=hunter2:b", ":sftp,KEY_PEM=hunter2:/"),
    ],
)
@pytest.mark.parametrize("other", [("{}", "/there"), ("/here", "{}")])
def test_a_secret_is_refused_and_not_repeated(location: str, other: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["transfer", *(one.format(location) for one in other)])
    assert done.exit_code == 2
    assert "rclone config" in " ".join(done.output.replace("│", " ").split())
    assert "hunter2" not in done.output


def test_a_location_is_no_option_of_rclone() -> None:
    done = CliRunner().invoke(app, ["transfer", "--", "--config=/tmp/other", "/there"])
    assert done.exit_code == 2
    assert "./--config=/tmp/other" in done.output


@pytest.mark.parametrize("locations", [("", "/there"), ("/here", "")])
def test_a_variable_that_is_not_set_is_no_place(locations: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["transfer", *locations])
    assert (done.exit_code, "a location is empty" in done.output) == (2, True)


@pytest.mark.parametrize(
    "given", [("/dev", "nowhere:there"), ("nowhere:there", "/there"), ("nowhere:there", "/there", "--estimate")]
)
def test_who_names_a_place_that_rclone_does_not_know_is_told_where_to_describe_it(given: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["transfer", "--on-root-disk", *given])
    assert done.exit_code == 1
    assert done.stderr.endswith("didn't find section in config file: describe it with `rclone config`\n")


def test_a_disk_that_is_not_mounted_is_told_from_one_that_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idr.transfer.locations.ROOT", tmp_path)
    (tmp_path / "mnt" / "disk1").mkdir(parents=True)
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "file").touch()
    for folder in ("mnt/disk1", "mnt/disk1/2026/plates"):
        assert unmounted(str(tmp_path / folder)) == str(tmp_path / "mnt" / "disk1")
    for fine in (str(tmp_path / "begun"), str(tmp_path / "begun" / "file"), "s3:bucket/mnt", "/proc/2026", "/proc"):
        assert unmounted(fine) == "", fine
    monkeypatch.chdir(tmp_path / "mnt")
    assert unmounted("disk1") == str(tmp_path / "mnt" / "disk1")


@pytest.mark.parametrize("more", [(), ("--estimate",)])
def test_no_copy_begins_on_the_root_disk_by_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setattr("idr.transfer.locations.ROOT", tmp_path)
    done = CliRunner().invoke(app, ["transfer", "/here", str(tmp_path / "disk1" / "2026"), *more])
    assert done.exit_code == 1
    assert done.stderr == (
        f"error: {tmp_path}/disk1/2026: {tmp_path} is on this machine's root disk: is a disk not mounted? "
        "If not: --on-root-disk\n"
    )
    assert list(tmp_path.iterdir()) == []
