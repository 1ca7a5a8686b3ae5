"""docs/faults.md: for how long pages failed in the last test of each fault, one table for each kind of fault."""

from harness.stacks import ROOT
from tests.cloud.faults import PAGES, Outage

PAGE = ROOT / "docs" / "faults.md"
HEAD = """# Faults

`make soak` writes this page (`tests/soak/test_healing.py`, `test_links.py`, `test_machines.py`, `test_new_image.py`):
do not edit it. The tests use real guests (containers) of the local cloud, on a machine of two cores that they share
with the cloud itself. Each column has the seconds for which a page failed: a thumbnail that the proxy has cached
(`cached`), a page that needs OMERO.web, Redis and OMERO.server (`ping`), and a page that also needs the database
(`uncached`). A request without a response counts as failed after 10 s. `well after` is the time from the beginning of
the fault to the last failure.
"""
COLUMNS = ("fault", "healed by", *PAGES, "well after")


def note(kind: str, what: str, healed_by: str, outage: Outage) -> None:
    """Add a row to the table `kind`, or replace the row of an earlier run."""
    tables = _read()
    seconds = [f"{seconds:.1f} s" for seconds in (*outage.seconds.values(), outage.last)]
    tables.setdefault(kind, {})[what] = [what, healed_by, *seconds]
    PAGE.write_text(_page(tables))


def _read() -> dict[str, dict[str, list[str]]]:
    tables: dict[str, dict[str, list[str]]] = {}
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        if line.startswith("## "):
            tables[line[3:]] = {}
        elif line.startswith("| ") and not line.startswith((f"| {COLUMNS[0]} |", "| ---")):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            list(tables.values())[-1][cells[0]] = cells
    return tables


def _page(tables: dict[str, dict[str, list[str]]]) -> str:
    parts = [HEAD]
    for kind, rows in sorted(tables.items()):
        lines = [COLUMNS, ["---"] * len(COLUMNS), *(rows[what] for what in sorted(rows))]
        parts.append("\n".join([f"## {kind}", "", *("| " + " | ".join(cells) + " |" for cells in lines)]) + "\n")
    return "\n".join(parts)
