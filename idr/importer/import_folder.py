"""The folder of an import on the node: its list, ledger, logs and OMERO session."""

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

from .beside import FILES, Beside
from .checks import Look
from .ledger import Ledger
from .rows import Row, valid_name
from .schedule import Limits
from .steps import Step

ICE_CONFIG = "/usr/local/lib/idr/omero-server/ice.config"


@dataclass(frozen=True)
class Settings:
    """Settings from the plan: addresses of OMERO.server and its database, and the folders of images.

    `mounts` must be mounted; `folders` are on this node's own disks. `database_gib` is the database's volume.
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


RUN_SUFFIX = ".run"
"""The suffix of the hidden file beside an import's folder. The import is queued while this file exists."""


class ImportFolder:
    """The folder of one import."""

    def __init__(self, name: str, imports: Path) -> None:
        self.name = valid_name(name)
        self.folder = imports / self.name
        self.logs = self.folder / "logs"
        self.run = imports / f".{self.name}{RUN_SUFFIX}"
        self.sessions = self.folder / "sessions"
        self._beside = self.folder / "beside"
        self._steps = self.folder / "steps.json"
        self._list = self.folder / "list.json"
        self._halted = self.folder / "halted"

    @classmethod
    def queued(cls, imports: Path) -> Iterator["ImportFolder"]:
        """The queued imports, oldest first."""
        runs = sorted(imports.glob(f".*{RUN_SUFFIX}"), key=lambda file: file.stat().st_mtime)
        return (cls(file.name[1:].removesuffix(RUN_SUFFIX), imports) for file in runs)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which OMERO's command line starts or ends the session and verifies the server."""
        return _environment(self.sessions)

    @contextmanager
    def in_session(self) -> Iterator[dict[str, str]]:
        """Yield the environment of a command that uses a copy of this import's session.

        OMERO's command line deletes the files of a session when OMERO.server does not answer.
        """
        with TemporaryDirectory() as folder:
            yield _environment(shutil.copytree(self.sessions, Path(folder, "sessions")))

    def create(self) -> None:
        """Create the folder. No other account may use its session."""
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        self.sessions.mkdir(mode=0o700, exist_ok=True)
        self._beside.mkdir(exist_ok=True)

    def queue(
        self, rows: Sequence[Row], looks: dict[str, Look], limits: Limits, beside: Beside, *, replace: bool = False
    ) -> None:
        """Write the list and the files beside it, then the file that starts the unit.

        `replace`: replace annotations of other origin too.
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
        """Remove the import from the queue, and keep the reason, unless the disk is full."""
        self.run.unlink(missing_ok=True)
        with suppress(OSError):
            _replace(self._halted, why.encode())

    @property
    def why_halted(self) -> str:
        """Why the import halted; empty if it did not."""
        return self._halted.read_text() if self._halted.exists() else ""

    @property
    def stamp(self) -> int:
        """A number that changes when another list is queued."""
        return self._list.stat().st_mtime_ns if self._list.exists() else 0

    @property
    def is_queued(self) -> bool:
        """Whether the import is queued or running."""
        return self.run.exists()

    @cached_property
    def data(self) -> dict[str, Any]:
        """The list as it was queued; empty without one."""
        content: dict[str, Any] = json.loads(self._list.read_text()) if self._list.exists() else {}
        return content

    @property
    def rows(self) -> list[Row]:
        """The rows of the list."""
        return [Row.of(row) for row in self.data.get("rows", ())]

    @property
    def looks(self) -> dict[str, Look]:
        """The results of the checks when the list was queued, by path."""
        return {path: Look(**about) for path, about in self.data.get("looks", {}).items()}

    @property
    def limits(self) -> Limits:
        """How many rows are imported at once."""
        return Limits(**self.data["limits"])

    def ledger(self) -> Ledger:
        """Read the ledger."""
        return Ledger(self.folder / "ledger")

    def beside(self, kind: str) -> Path:
        """The path of one of the files beside the list."""
        return self._beside / FILES[kind]

    @property
    def steps(self) -> list[Step]:
        """The steps that follow, as far as known."""
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
    """Yield the environment of a command that starts a session of its own."""
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
