"""Every path is checked before anything is imported."""

import os
import pwd
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from idr.importer import checks
from idr.importer.checks import check
from idr.importer.rows import Row


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the account `nobody` as OMERO.server's."""
    account = pwd.getpwnam("nobody")
    monkeypatch.setattr(checks, "_server", lambda: (account.pw_uid, frozenset([account.pw_gid])))


@pytest.fixture
def mount() -> Iterator[Path]:
    """Make a folder that OMERO.server can enter, with one file."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def put(path: Path, text: str = "pixels", mode: int = 0o644) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    os.utime(path, (1, 1))
    return str(path)


def kinds(paths: list[str], mount: Path) -> dict[str, int]:
    checked = check([Row(path) for path in paths], (), (str(mount),))
    return {kind: fault["count"] for kind, fault in checked.faults.items()}


@pytest.mark.usefixtures("server")
def test_good_paths_have_a_size_and_a_mount(mount: Path) -> None:
    file, folder = put(mount / "a.tiff"), put(mount / "plate" / "x" / "b.tiff")
    folder = str(mount / "plate")
    checked = check([Row(file), Row(folder)], (), (str(mount),))
    assert checked.faults == {}
    assert [(look.size, look.mount, look.folder) for look in checked.good.values()] == [
        (6, str(mount), False),
        (6, str(mount), True),
    ]


@pytest.mark.usefixtures("server")
def test_every_kind_of_fault_is_counted_with_the_first_examples(mount: Path) -> None:
    missing = [str(mount / f"missing{number}") for number in range(5)]
    closed = put(mount / "closed.tiff", mode=0o640)
    in_closed = put(mount / "private" / "a.tiff")
    (mount / "private").chmod(0o700)
    (mount / "nothing").mkdir()
    empty = [put(mount / "empty.tiff", ""), str(mount / "nothing")]
    twice = put(mount / "twice.tiff")
    form = [f"{mount}/../x", "a.tiff", f"{mount}//a", f"{mount}/a\nb"]
    rows = [Row(path) for path in [*missing, closed, in_closed, *empty, twice, twice, *form, "/elsewhere/a"]]
    faults = check(rows, (), (str(mount),)).faults
    assert faults == {
        "twice": {"count": 1, "first": [twice]},
        "form": {"count": 4, "first": form[:3]},
        "outside": {"count": 1, "first": ["/elsewhere/a"]},
        "missing": {"count": 5, "first": missing[:3]},
        "closed": {"count": 2, "first": [closed, in_closed]},
        "empty": {"count": 2, "first": empty},
    }
    assert set(faults) < set(checks.FAULTS)


@pytest.mark.usefixtures("server")
def test_folders_that_links_lead_to_are_looked_at_too(mount: Path) -> None:
    put(mount / "elsewhere" / "closed" / "b.tiff", "more pixels", mode=0o640)
    put(mount / "elsewhere" / "open" / "b.tiff", "more pixels")
    put(mount / "elsewhere" / "private" / "inside" / "b.tiff")
    (mount / "elsewhere" / "private").chmod(0o700)
    leading_to = {"open": "open", "closed": "closed", "private": "private/inside", "file": "private/inside/b.tiff"}
    for plate, path in leading_to.items():
        put(mount / plate / "a.tiff")
        (mount / plate / "linked").symlink_to(mount / "elsewhere" / path)
    plates = [str(mount / plate) for plate in leading_to]
    checked = check([Row(plate) for plate in plates], (), (str(mount),))
    assert checked.faults == {"closed": {"count": 3, "first": plates[1:]}}
    assert {path: look.size for path, look in checked.good.items()} == {plates[0]: len("pixels" + "more pixels")}


def test_a_path_by_a_tree_of_links_is_on_the_mount_that_it_leads_to(mount: Path) -> None:
    tree, away = mount / "filesets", mount / "away"
    (tree / "old").mkdir(parents=True)
    put(away / "a.tiff")
    for link, target in {"idr0001": away, "old/idr0002": Path("/proc")}.items():
        (tree / link).symlink_to(target)
    look = checks._Looker((str(away), "/proc"), (str(tree),))
    assert look(f"{tree}/idr0001").fault == "away"
    assert look(str(away)).fault == look(str(tree)).fault == "outside"
    assert look(f"{tree}/idr0001/a.tiff").fault == "away"
    assert look(f"{tree}/old/idr0002/self/status").mount == "/proc"


def test_links_in_a_circle_come_to_an_end(mount: Path) -> None:
    put(mount / "plate" / "inner" / "a.tiff")
    (mount / "plate" / "inner" / "around").symlink_to(mount / "plate")
    (mount / "plate" / "inner" / "above").symlink_to(mount)
    (mount / "plate" / "again").symlink_to("inner")
    checked = check([Row(str(mount / "plate"))], (), (str(mount),))
    assert {path: look.size for path, look in checked.good.items()} == {str(mount / "plate"): len("pixels")}


def test_a_mount_that_is_not_there_is_told_before_its_files_are_missing(mount: Path) -> None:
    checked = check([Row(put(mount / "a.tiff"))], (str(mount),), ())
    assert list(checked.faults) == ["away"]
    assert checks._Looker(("/proc",), ())("/proc/version").fault != "away"


def test_a_file_that_grows_is_not_complete(mount: Path) -> None:
    growing, done = mount / "growing.tiff", mount / "done.tiff"
    growing.write_text("pix")
    done.write_text("pixels")
    threading.Timer(0.2, lambda: growing.write_text("pixels")).start()
    checked = check([Row(str(growing)), Row(str(done))], (), (str(mount),), pause=0.6)
    assert checked.faults == {"growing": {"count": 1, "first": [str(growing)]}}
    assert list(checked.good) == [str(done)]
