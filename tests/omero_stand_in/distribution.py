"""Makes the archives, and serves them as the projects' download pages do."""

import hashlib
import shutil
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dev.image import wheels
from dev.image.cache import build_once, cache_root, key_of
from harness.stacks import ROOT

HERE = Path(__file__).parent
LOCKS = [ROOT / "cloudinit" / tier / "requirements.lock" for tier in ("omero-server", "web")]
SERVER = "OMERO.server-5.6.99-ice36.zip"
ICE = "Ice-3.6.5-stand-in.tar.gz"


@dataclass(frozen=True)
class Distribution:
    """A folder with the archives, and the URL at which a guest gets them."""

    folder: Path
    base: str

    def settings(self, **wrong: str) -> dict[str, Any]:
        """Return `idr:omero` as an operator writes it; `wrong` replaces the sums of parts."""
        files = {"server": SERVER, "ice": ICE, "icePython": next(self.folder.glob("zeroc_ice-*.whl")).name}
        return {
            "distribution": "official",
            **{
                part: {"url": f"{self.base}/{name}", "sha256": wrong.get(part, sha256(self.folder / name))}
                for part, name in files.items()
            },
        }


def sha256(path: Path) -> str:
    """Return the SHA-256 sum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(folder: Path, base: str) -> Distribution:
    """Make the archives in `folder`: stand-ins for the server and Ice, real wheels for the Python packages."""
    pack(folder)
    for wheel in [*wheels.ice_wheel().glob("*.whl"), *_wheelhouse().glob("*.whl")]:
        shutil.copy(wheel, folder)
    return Distribution(folder, base)


def pack(folder: Path) -> None:
    """Write the archives of the server and of its Ice into `folder`."""
    with zipfile.ZipFile(folder / SERVER, "w") as archive:
        for path in sorted((HERE / "server").rglob("*")):
            if path.suffix != ".pyc":
                archive.write(path, Path("OMERO.server-5.6.99-ice36") / path.relative_to(HERE / "server"))
    with tarfile.open(folder / ICE, "w:gz") as tar:
        tar.add(HERE / "ice", "ice-3.6.5")


def _wheelhouse() -> Path:
    return build_once(cache_root() / "wheels" / f"official-{key_of(LOCKS)}", _fetch)


def _fetch(folder: Path) -> None:
    pip = [str(wheels.PYTHON), "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
    for lock in LOCKS:
        subprocess.run([*pip, "-d", str(folder), "-r", str(lock)], check=True)


class _Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """Accept a whole URL too, which a client sends to a proxy."""
        return super().translate_path(urlsplit(path).path)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Log nothing."""


@contextmanager
def served(folder: Path, address: str, port: int) -> Iterator[int]:
    """Serve the folder over HTTP while the block runs, also as a proxy for any host name. Yields the port."""
    server = ThreadingHTTPServer((address, port), partial(_Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
