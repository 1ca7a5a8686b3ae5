"""The command lines of OMERO, and how their output is read."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .rows import Row
from .steps import RENDER, Step

ALWAYS = (
    "--transfer=ln_s",
    # The importer itself skips a row that OMERO already has.
    "--exclude=clientpath",
    "--output=yaml",
    # Checking for upgrades would call a host on the internet.
    "--skip=upgrade",
)
CHECKSUM = "File-Size-64"
"""Other algorithms read each file twice."""
POPULATE = ("omero", "metadata", "populate")
SHOWN = 400
_OPENED = re.compile(r"^(\w+): Pixels:\d+ (Image:\d+) .*", re.MULTILINE)
"""A line of `omero render test` about an image."""
_NUMBER = re.compile(r"object #\d+ \(::omero::RLong\)\s*\{\s*_val = (\d+)\s*\}")
"""How `omero render` prints the id of an object that does not exist."""
GREETING = "Using session for "
"""The beginning of the first line of every log of OMERO's command line."""


@dataclass(frozen=True)
class Result:
    """What one run of the importer reports: exit status, filesets, number of images, plates."""

    status: int
    filesets: tuple[int, ...]
    images: int
    plates: tuple[int, ...]


def import_command(row: Row) -> list[str]:
    """Import a row."""
    options = dict(row.options)
    skipped = options.pop("skip", [])
    words = ["omero", "import", *ALWAYS, f"--checksum-algorithm={options.pop('checksum_algorithm', CHECKSUM)}"]
    words += [f"--skip={step}" for step in skipped if step != "upgrade"]
    if options.pop("continue", ""):
        words.append("-c")
    words += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    if row.target:
        words.append(f"--target={row.target}")
    return [*words, row.path]


def login_command(address: str, user: str, group: str | None) -> list[str]:
    """Ask for a user's password and keep the session."""
    return ["omero", "login", "-s", address, "-p", "4064", "-u", user, *(("-g", group) if group else ())]


def guest_login_command(address: str) -> list[str]:
    """Log in as guest, which succeeds while OMERO.server answers. A guest needs no password and sees nothing."""
    return ["omero", "-q", "login", "-s", address, "-p", "4064", "-u", "guest", "-w", "guest"]


def logout_command() -> list[str]:
    """End the session."""
    return ["omero", "-q", "logout"]


def session_command() -> list[str]:
    """Check that the session is alive and OMERO.server answers."""
    return ["omero", "-q", "sessions", "timeout"]


def delete_command(fileset: int) -> list[str]:
    """Delete a fileset. Of files imported with ln_s, OMERO deletes only the links."""
    return ["omero", "-q", "delete", f"Fileset:{fileset}"]


def rendering_command(objects: Sequence[str], settings: Path) -> list[str]:
    """Set the rendering settings of plates and images, and create their thumbnails."""
    return ["omero", "render", "set", *objects, str(settings)]


def open_lines(objects: Sequence[str]) -> str:
    """Lines for `load_command` that open images, which creates their memo files, and request their thumbnails."""
    return "".join(f"render test --force --thumb {one}\n" for one in objects)


def load_command(lines: Path) -> list[str]:
    """Run all command lines of a file in one process, also after one fails."""
    return ["omero", "load", "--keep-going", str(lines)]


def delete_annotations_commands(container: str, keys: Path | None, namespaces: Sequence[str]) -> list[list[str]]:
    """Delete the annotations of a container, but not those that other containers have too.

    Links to shared annotations are deleted first: OMERO takes long to find the other containers of an annotation.
    """
    lines = [["omero", "metadata", "deletebulkanns", container]]
    if keys:
        delete = [*POPULATE, "--context=deletemap", "--batch=100", "--wait=300", f"--cfg={keys}"]
        links = json.dumps({"ns": list(namespaces), "typesToIgnore": ["Annotation"]})
        shared = [[*delete, f"--localcfg={links}", container]] if namespaces else []
        # The table is last: as long as it exists, the container counts as annotated (`Database.is_annotated`).
        lines = [*shared, [*delete, container], *lines]
    return lines


def annotate_commands(container: str, table: Path, keys: Path | None) -> list[list[str]]:
    """The words that give a container its table of annotations, and make keys and values of its columns."""
    lines = [[*POPULATE, "--batch=1000", f"--file={table}", container]]
    return [*lines, [*POPULATE, "--context=bulkmap", "--batch=100", f"--cfg={keys}", container]] if keys else lines


def open_failure(step: Step, log: Path) -> str:
    """Why images of a step could not be opened; empty where all were. The log may be of other steps, too."""
    reason = {line[2]: line for line in _OPENED.finditer(log.read_text(errors="replace"))}
    if not reason:
        return cause(log)
    for image in step.objects if step.of_images else reason:
        if image not in reason:
            return f"{image} was not opened: see the log"
        if reason[image][1] not in ("ok", "fill"):
            return reason[image][0][:SHOWN]
    return ""


def has_failed(kind: str, status: int, log: Path) -> bool:
    """Whether the command of a step has failed. The exit status alone does not show it."""
    text = log.read_text(errors="replace")
    # `omero render set` continues after settings that it could not save.
    return status != 0 or (kind == RENDER and bool(re.search("^ERROR: ", text, re.MULTILINE)))


def unmatched_rows(log: Path) -> str:
    """Report rows of the annotations that match no object, from the log of `omero metadata`; empty if all match."""
    text = log.read_text(errors="replace")
    missing = re.findall(r"is missing (?:plate|dataset): (.*)$", text, re.MULTILINE)
    names = list(dict.fromkeys(missing))
    messages = []
    if names:
        messages.append(
            f"the container has no {', '.join(names[:3])}{', ...' if names[3:] else ''}, which the annotations name"
        )
    rows = re.findall(r"Invalid Id:-1 found in row (\(.*\))$", text, re.MULTILINE)
    # Without key-value pairs only these lines report rows of images.
    if count := len(rows) or text.count("-1 not found in image ids"):
        several = "1 row of the annotations is" if count == 1 else f"{count} rows of the annotations are"
        messages.append(f"{several} of nothing that is there" + (f", as in {rows[0]}" if rows else ""))
    return "; ".join(messages)[:SHOWN]


def parse_output(status: int, out: Path) -> Result:
    """Parse the output of the importer (`--output=yaml`).

    The exit status is not enough: it is also 0 when no file could be read, or OMERO already has the files.
    """
    text = out.read_text(errors="replace")
    numbers = {kind: tuple(_numbers(kind, text)) for kind in ("Image", "Plate")}
    filesets = tuple(int(one) for one in re.findall(r"^- Fileset: (\d+)$", text, re.MULTILINE))
    return Result(status, filesets, len(numbers["Image"]), numbers["Plate"])


def _numbers(kind: str, text: str) -> list[int]:
    lists = re.findall(rf"^  {kind}: \[([\d, ]*)\]$", text, re.MULTILINE)
    return [int(number) for one in lists for number in one.split(",") if number.strip()]


def user(log: Path) -> str:
    """Who was logged in to OMERO, as a command says at its beginning; empty where it does not."""
    said = re.search(rf"^{GREETING}(\S+)@", log.read_text(errors="replace"), re.MULTILINE)
    return said[1] if said else ""


def cause(err: Path) -> str:
    """The line of a command's log that best explains its failure."""
    text = _NUMBER.sub(r"\1", err.read_text(errors="replace"))
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(GREETING)]
    named = [line for line in lines if line.startswith(("Caused by:", "fail: "))] or [
        line for line in lines if re.search(r"Exception|\bERROR\b|[Ee]rror:|FATAL", line)
    ]
    reason = named[-1] if named else (lines[-1] if lines else "it was ended before it said anything")
    return reason[:SHOWN]
