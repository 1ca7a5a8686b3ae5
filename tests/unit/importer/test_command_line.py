"""OMERO's messages about what its commands have not done."""

from pathlib import Path

from idr.importer import command_line


def test_the_cause_of_an_object_that_is_not_there_names_it(tmp_path: Path) -> None:
    """omero-cli-render prints its number."""
    log = tmp_path / "log"
    log.write_text("Using session for demo@x.\nNo such Plate: object #0 (::omero::RLong)\n{\n    _val = 4321\n}\n")
    assert command_line.cause(log) == "No such Plate: 4321"


def test_rows_of_annotations_that_are_of_nothing_there_are_counted(tmp_path: Path) -> None:
    """`omero metadata populate` prints it for its table, and then for keys and values."""
    log = tmp_path / "log"
    start = "WARNING:omero_metadata.populate:"
    table = f"{start}-1 not found in image ids\n{start}-1 not found in image ids\n"
    log.write_text(table)
    assert command_line.unmatched_rows(log) == "2 rows of the annotations are of nothing that is there"
    log.write_text(f"{table}{start}Invalid Id:-1 found in row ('c', 'abc3', -1)\nINFO: more\n")
    assert command_line.unmatched_rows(log) == (
        "1 row of the annotations is of nothing that is there, as in ('c', 'abc3', -1)"
    )
    log.write_text(f"{start}Screen is missing plate: P1\n{start}Invalid Id:-1 found in row ('P1', -1)\n")
    assert command_line.unmatched_rows(log).startswith(
        "the container has no P1, which the annotations name; 1 row of the"
    )
    log.write_text("INFO:omero_metadata.populate:Created/linked 4 MapAnnotations (total 4)\n")
    assert command_line.unmatched_rows(log) == ""
