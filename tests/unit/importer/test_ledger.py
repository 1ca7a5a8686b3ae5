"""The ledger survives damage to files."""

from pathlib import Path

from idr.importer.ledger import DONE, FAILED, STARTED, Ledger, Outcome


def test_the_last_that_is_told_of_a_row_holds(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.record("/a", STARTED, before=[5])
    ledger.record("/a", STARTED, before=[5, 6])
    ledger.record("/a", DONE, images=3, filesets=[7], seconds=2.0)
    ledger.record("/b", FAILED, why="x")
    again = Ledger(tmp_path / "ledger")
    assert again.outcomes == ledger.outcomes
    assert (again.with_state(DONE), again.with_state(FAILED)) == ({"/a"}, {"/b"})
    assert (again.begun, again.durations) == ({"/a": [5]}, [2.0])
    assert again.outcomes["/a"] == Outcome(DONE, again.outcomes["/a"].at, 2.0, 3, [7])


def test_half_a_line_is_left_out_and_does_not_harm_the_next(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    Ledger(file).record("/a", STARTED)
    for half in (b'{"path": "/b", "sta', b"\x00\x00\x00", b"5"):
        with file.open("ab") as out:
            out.write(half)
        Ledger(file).record("/c", STARTED)
    Ledger(file).record("/d", STARTED)
    assert set(Ledger(file).outcomes) == {"/a", "/c", "/d"}
