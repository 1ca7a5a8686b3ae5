"""Runs idr-py and the OMERO command line, as a user who resolves the service's name and trusts only its authority."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dev.image import wheels
from dev.image.cache import build_once, cache_root, key_of

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
SECONDS = 120
# The OMERO command line refuses to run as root. In this user namespace, root has another name and the same rights.
NOT_ROOT = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")


def environment(lock: Path = LOCK) -> Path:
    """Return the folder of a Python environment with the clients, created once from the lock file's wheels."""
    ice = wheels.ice_wheel()
    return build_once(cache_root() / "clients" / key_of([lock], ice.name), lambda folder: _make(folder, ice, lock))


def _make(folder: Path, ice: Path, lock: Path) -> None:
    uv = [sys.executable, "-m", "uv", "-q"]
    install = [*uv, "pip", "install", "--python", str(folder / "bin" / "python"), "--no-deps"]
    # Relocatable: the folder is renamed when it is complete.
    subprocess.run([*uv, "venv", "--allow-existing", "--relocatable", "--python", wheels.PYTHON, folder], check=True)
    subprocess.run([*install, "--no-index", f"--find-links={ice}", "zeroc-ice"], check=True)
    subprocess.run([*install, "--require-hashes", "-r", lock], check=True)


@dataclass(frozen=True)
class Client:
    """A user's machine: a home directory, the address of `name`, and the only authority that it trusts."""

    folder: Path
    name: str
    address: str
    authority: str

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment; the caller checks its exit status."""
        hosts = self._write("hosts", f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        # $0 replaces /etc/hosts in this command's own mount namespace.
        inside = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", inside, hosts, *NOT_ROOT, *command],
            env=self._variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def omero(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the OMERO command line."""
        return self.run("omero", *words)

    @cached_property
    def _variables(self) -> dict[str, str]:
        authority = self._write("authority.pem", self.authority)
        ice = {"IceSSL.CAs": authority, "IceSSL.VerifyPeer": 2, "IceSSL.CheckCertName": 1}
        config = self._write("ice.config", "".join(f"{key}={value}\n" for key, value in ice.items()))
        return {
            "PATH": f"{environment() / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ICE_CONFIG": str(config),
            "REQUESTS_CA_BUNDLE": str(authority),
        }

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path
