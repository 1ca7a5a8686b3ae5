"""Where an import is on the node: its list, its ledger, its logs, and who is logged in for it."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .after import Step
from .beside import FILES, Beside
from .checks import Look
from .ledger import Ledger
from .rows import Row, valid_name
from .schedule import Limits

ICE_CONFIG = "/usr/local/lib/idr/omero-server/ice.config"


@dataclass(frozen=True)
class Settings:
    """What the plan knows: where OMERO.server and its database are, and where images can be.

    `mounts` must be mounted; `folders` are on this node's own disks. `database_gib` is that of the database's volume.
    """

    address: str
    mounts: tuple[str, ...]
    folders: tuple[str, ...]
    connection: str
    database_gib: int

    @classmethod
    def read(cls, file: Path) -> "Settings":
        """Read them from the file that the role installs."""
        data = json.loads(file.read_text())
        return cls(**data | {"mounts": tuple(data["mounts"]), "folders": tuple(data["folders"])})


WANTED = ".run"
"""How the hidden file beside an import's folder ends that says that it shall run."""


class ImportFolder:
    """The folder of one import."""

    def __init__(self, name: str, imports: Path) -> None:
        self.name = valid_name(name)
        self.folder = imports / self.name
        self.logs = self.folder / "logs"
        self.run = imports / f".{self.name}{WANTED}"
        self.sessions = self.folder / "sessions"
        self._beside = self.folder / "beside"
        self._steps = self.folder / "steps.json"
        self._list = self.folder / "list.json"
        self._halted = self.folder / "halted"

    @classmethod
    def wanted(cls, imports: Path) -> Iterator["ImportFolder"]:
        """The imports that somebody wants to run, the first that was asked for first."""
        runs = sorted(imports.glob(f".*{WANTED}"), key=lambda file: file.stat().st_mtime)
        return (cls(file.name[1:].removesuffix(WANTED), imports) for file in runs)

    @property
    def environment(self) -> dict[str, str]:
        """What OMERO's command line needs to begin or end this import's session, and to verify the server."""
        return _environment(self.sessions)

    @contextmanager
    def in_session(self) -> Iterator[dict[str, str]]:
        """Yield what a command needs that works in this import's session: a copy of it.

        OMERO's command line deletes what it knows of a session when OMERO.server does not answer.
        """
        with TemporaryDirectory() as folder:
            yield _environment(shutil.copytree(self.sessions, Path(folder, "sessions")))

    def make(self) -> None:
        """Make the folder; nobody else may use its session."""
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        self.sessions.mkdir(mode=0o700, exist_ok=True)
        self._beside.mkdir(exist_ok=True)

    def queue(
        self, rows: Sequence[Row], looks: dict[str, Look], limits: Limits, beside: Beside, *, replace: bool = False
    ) -> None:
        """Write the list and what lies beside it, then that it shall run, which starts the unit.

        `replace`: annotations that this import did not make, too.
        """
        for kind, content in beside.files.items():
            _replace(self.beside(kind), content)
        data = {
            "beside": beside.digests(),
            "replace": replace,
            "rows": [row.data() for row in rows],
            "looks": {path: asdict(look) for path, look in looks.items()},
            "limits": asdict(limits),
        }
        _replace(self._list, json.dumps(data).encode())
        self._halted.unlink(missing_ok=True)
        _replace(self.run, b"")

    def halt(self, why: str) -> None:
        """Run no more until somebody asks again, and keep why, unless the disk is full."""
        self.run.unlink(missing_ok=True)
        with suppress(OSError):
            _replace(self._halted, why.encode())

    @property
    def why_halted(self) -> str:
        """Why it stopped before its end; empty where it did not."""
        return self._halted.read_text() if self._halted.exists() else ""

    @property
    def stamp(self) -> int:
        """Another number once another list was queued."""
        return self._list.stat().st_mtime_ns if self._list.exists() else 0

    @property
    def is_wanted(self) -> bool:
        """Whether it shall run."""
        return self.run.exists()

    @cached_property
    def data(self) -> dict[str, Any]:
        """The list as it was queued; empty where there is none."""
        content: dict[str, Any] = json.loads(self._list.read_text()) if self._list.exists() else {}
        return content

    @property
    def rows(self) -> list[Row]:
        """The rows of the list."""
        return [Row.of(row) for row in self.data.get("rows", ())]

    @property
    def looks(self) -> dict[str, Look]:
        """What was at each path when it was queued."""
        return {path: Look(**about) for path, about in self.data.get("looks", {}).items()}

    @property
    def limits(self) -> Limits:
        """How many at once."""
        return Limits(**self.data["limits"])

    def ledger(self) -> Ledger:
        """Read the ledger."""
        return Ledger(self.folder / "ledger")

    def beside(self, kind: str) -> Path:
        """Where a file of those beside the list is."""
        return self._beside / FILES[kind]

    @property
    def steps(self) -> list[Step]:
        """The steps that follow, as far as they are known."""
        entries = json.loads(self._steps.read_text()) if self._steps.exists() else []
        lists = ((kind, of, tuple(objects), version, tuple(within)) for kind, of, objects, version, within in entries)
        return [Step(*one) for one in lists]

    @steps.setter
    def steps(self, steps: Sequence[Step]) -> None:
        entries = [(step.kind, step.of, step.objects, step.version, step.within) for step in steps]
        _replace(self._steps, json.dumps(entries).encode())

    def ledger_of_steps(self) -> Ledger:
        """Read the ledger of the steps, by their keys."""
        return Ledger(self.folder / "ledger-of-steps")


@contextmanager
def without_session() -> Iterator[dict[str, str]]:
    """Yield what a command needs that begins a session of its own."""
    with TemporaryDirectory() as folder:
        yield _environment(Path(folder))


def _environment(sessions: Path) -> dict[str, str]:
    return os.environ | {"OMERO_SESSIONDIR": str(sessions), "ICE_CONFIG": ICE_CONFIG}


def _replace(file: Path, content: bytes) -> None:
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
