"""The index of the decision records."""

import re

from harness.stacks import ROOT

FOLDER = ROOT / "docs" / "adr"
ROW = re.compile(r"^\| (?P<number>\d+) \| \[(?P<title>.+?)\]\((?P<file>[^)]+)\) \| (?P<status>[^|]+) \|", re.MULTILINE)
STATUS = re.compile(r"accepted|(accepted, superseded in part|superseded) by \[\d+\]\(\d{4}-[\w-]+\.md\)")


def test_the_index_names_each_decision_record_once_in_order_and_no_other() -> None:
    records = []
    for file in sorted(FOLDER.glob("[0-9]*.md")):
        heading = re.match(r"# (\d+)\. (.+)", file.read_text())
        assert heading, file.name
        assert int(heading[1]) == int(file.name[:4]), file.name
        records.append((heading[1], heading[2], file.name))
    rows = list(ROW.finditer((FOLDER / "README.md").read_text()))
    assert [(row["number"], row["title"], row["file"]) for row in rows] == records


def test_each_decision_record_has_a_status() -> None:
    rows = list(ROW.finditer((FOLDER / "README.md").read_text()))
    assert rows
    for row in rows:
        assert STATUS.fullmatch(row["status"]), row[0]
