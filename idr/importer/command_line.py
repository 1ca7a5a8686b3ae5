"""The command lines of OMERO's importer, and what it says at its end."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .after import RENDER, Step
from .rows import Row

ALWAYS = (
    "--transfer=ln_s",
    # A row that OMERO has already is left out by the importer itself, too.
    "--exclude=clientpath",
    "--output=yaml",
    # It would ask a host on the internet.
    "--skip=upgrade",
)
CHECKSUM = "File-Size-64"
"""Others read each file whole, twice."""
POPULATE = ("omero", "metadata", "populate")
SHOWN = 400
_OPENED = re.compile(r"^(\w+): Pixels:\d+ (Image:\d+) .*", re.MULTILINE)
"""What `omero render test` says of an image."""
_NUMBER = re.compile(r"object #\d+ \(::omero::RLong\)\s*\{\s*_val = (\d+)\s*\}")
"""How `omero render` prints the number of an object that is not there."""
GREETING = "Using session for "
"""How the first line begins that OMERO's command line says in every log."""


@dataclass(frozen=True)
class Ended:
    """What one run of the importer says that it made."""

    status: int
    filesets: tuple[int, ...]
    images: int
    plates: tuple[int, ...]


def importing(row: Row) -> list[str]:
    """The words of the command line that imports a row."""
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


def logging_in(address: str, user: str, group: str | None) -> list[str]:
    """The words that ask for a user's password and keep the session."""
    return ["omero", "login", "-s", address, "-p", "4064", "-u", user, *(("-g", group) if group else ())]


def entering_as_guest(address: str) -> list[str]:
    """The words that succeed while OMERO.server answers: its guest needs no password, and sees nothing."""
    return ["omero", "-q", "login", "-s", address, "-p", "4064", "-u", "guest", "-w", "guest"]


def logging_out() -> list[str]:
    """The words that end the session."""
    return ["omero", "-q", "logout"]


def asking_for_the_session() -> list[str]:
    """The words that succeed while the session is alive and OMERO.server answers."""
    return ["omero", "-q", "sessions", "timeout"]


def deleting(fileset: int) -> list[str]:
    """The words that delete a fileset; of files imported by ln_s it deletes the links alone."""
    return ["omero", "-q", "delete", f"Fileset:{fileset}"]


def rendering(objects: Sequence[str], settings: Path) -> list[str]:
    """The words that give plates and images their rendering settings, and make their thumbnails."""
    return ["omero", "render", "set", *objects, str(settings)]


def opening(objects: Sequence[str]) -> str:
    """Lines for `loading` that open the images, which makes their memo files, and ask for their thumbnails."""
    return "".join(f"render test --force --thumb {one}\n" for one in objects)


def loading(lines: Path) -> list[str]:
    """The words that carry out command lines in one process, one after another, whether or not they fail."""
    return ["omero", "load", "--keep-going", str(lines)]


def unannotating(container: str, keys: Path | None, namespaces: Sequence[str]) -> list[list[str]]:
    """The words that delete the annotations of a container, and leave those that others have too.

    Of shared ones the links alone go first: OMERO takes long to find out who else has an annotation.
    """
    lines = [["omero", "metadata", "deletebulkanns", container]]
    if keys:
        delete = [*POPULATE, "--context=deletemap", "--batch=100", "--wait=300", f"--cfg={keys}"]
        links = json.dumps({"ns": list(namespaces), "typesToIgnore": ["Annotation"]})
        shared = [[*delete, f"--localcfg={links}", container]] if namespaces else []
        # The table is last: while it is there, somebody has to look before annotations are made.
        lines = [*shared, [*delete, container], *lines]
    return lines


def annotating(container: str, table: Path, keys: Path | None) -> list[list[str]]:
    """The words that give a container its table of annotations, and make keys and values of its columns."""
    lines = [[*POPULATE, "--batch=1000", f"--file={table}", container]]
    return [*lines, [*POPULATE, "--context=bulkmap", "--batch=100", f"--cfg={keys}", container]] if keys else lines


def unopened(step: Step, log: Path) -> str:
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
    """Whether a command that follows an import has failed. The exit status alone says too little."""
    text = log.read_text(errors="replace")
    # It goes on after settings that it could not save.
    return status != 0 or (kind == RENDER and bool(re.search("^ERROR: ", text, re.MULTILINE)))


def left_out(log: Path) -> str:
    """What `omero metadata` says of rows of the annotations that are of nothing there; empty where all are."""
    text = log.read_text(errors="replace")
    missing = re.findall(r"is missing (?:plate|dataset): (.*)$", text, re.MULTILINE)
    names = list(dict.fromkeys(missing))
    said = []
    if names:
        said.append(
            f"the container has no {', '.join(names[:3])}{', ...' if names[3:] else ''}, which the annotations name"
        )
    rows = re.findall(r"Invalid Id:-1 found in row (\(.*\))$", text, re.MULTILINE)
    # Without keys and values nothing else says it of images.
    if count := len(rows) or text.count("-1 not found in image ids"):
        several = "1 row of the annotations is" if count == 1 else f"{count} rows of the annotations are"
        said.append(f"{several} of nothing that is there" + (f", as in {rows[0]}" if rows else ""))
    return "; ".join(said)[:SHOWN]


def ended(status: int, out: Path) -> Ended:
    """Read what the importer has printed in the form of `--output=yaml`.

    The exit status alone says little: it is 0 as well where no file could be read, or OMERO has the files already.
    """
    text = out.read_text(errors="replace")
    numbers = {kind: tuple(_numbers(kind, text)) for kind in ("Image", "Plate")}
    filesets = tuple(int(one) for one in re.findall(r"^- Fileset: (\d+)$", text, re.MULTILINE))
    return Ended(status, filesets, len(numbers["Image"]), numbers["Plate"])


def _numbers(kind: str, text: str) -> list[int]:
    lists = re.findall(rf"^  {kind}: \[([\d, ]*)\]$", text, re.MULTILINE)
    return [int(number) for one in lists for number in one.split(",") if number.strip()]


def user(log: Path) -> str:
    """Who was logged in to OMERO, as a command says at its beginning; empty where it does not."""
    said = re.search(rf"^{GREETING}(\S+)@", log.read_text(errors="replace"), re.MULTILINE)
    return said[1] if said else ""


def cause(err: Path) -> str:
    """The line of the importer's log that says best why it failed."""
    text = _NUMBER.sub(r"\1", err.read_text(errors="replace"))
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(GREETING)]
    named = [line for line in lines if line.startswith(("Caused by:", "fail: "))] or [
        line for line in lines if re.search(r"Exception|\bERROR\b|[Ee]rror:|FATAL", line)
    ]
    reason = named[-1] if named else (lines[-1] if lines else "it was ended before it said anything")
    return reason[:SHOWN]
