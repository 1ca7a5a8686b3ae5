"""Which row is imported next."""

from idr.importer.rows import Row
from idr.importer.schedule import Limits, Sized, following, ordered

LIMITS = Limits(parallel=3, per_mount=2)


def sized(path: str, mount: str = "/m", target: str | None = None, size: int = 1) -> Sized:
    return Sized(Row(path, target), size, mount)


def test_the_largest_are_first_and_those_that_failed_last() -> None:
    sizes = {"/a": (1, "/m"), "/b": (9, "/m"), "/c": (5, "/m"), "/d": (99, "/m")}
    order = ordered([Row(path) for path in sizes], sizes, failed={"/d"})
    assert [one.row.path for one in order] == ["/b", "/c", "/a", "/d"]


def test_no_more_at_once_than_the_limit() -> None:
    running = [sized("/1", "/m"), sized("/2", "/n"), sized("/3", "/o")]
    assert following([sized("/4", "/p")], running, LIMITS, ()) is None
    assert following([sized("/4", "/p")], running[1:], LIMITS, ()) == sized("/4", "/p")


def test_of_one_mount_no_more_than_its_limit() -> None:
    waiting = [sized("/3"), sized("/4", "/n")]
    assert following(waiting, [sized("/1"), sized("/2")], LIMITS, ()) == waiting[1]
    assert following(waiting, [sized("/1")], LIMITS, ()) == waiting[0]


def test_what_makes_a_target_is_alone_until_it_is_there() -> None:
    first, second, other = (sized(f"/{name}", "/m", f"Dataset:name:{name[0]}") for name in ("a1", "a2", "b"))
    assert following([second, other], [first], LIMITS, ()) == other
    assert following([second], [first], LIMITS, ()) is None
    assert following([second], [first], LIMITS, {"Dataset:name:a"}) == second
    numbered = sized("/x", target="Dataset:7")
    assert following([numbered], [sized("/y", target="Dataset:7")], LIMITS, ()) == numbered


def test_two_datasets_of_one_new_project_are_not_made_at_once() -> None:
    one, other = (sized(f"/{name}", target=f"Project:name:idr0/experimentA/Dataset:name:{name}") for name in "ab")
    assert following([other], [one], LIMITS, ()) is None
    assert following([other], [one], LIMITS, {"Project:name:idr0/experimentA"}) == other


def test_a_folder_and_what_is_in_it_are_not_imported_at_once() -> None:
    folder, inside, beside = sized("/a/plate"), sized("/a/plate/x/1.tiff"), sized("/a/plate2")
    assert following([inside], [folder], LIMITS, ()) is None
    assert following([folder], [inside], LIMITS, ()) is None
    assert following([inside, beside], [folder], LIMITS, ()) == beside
