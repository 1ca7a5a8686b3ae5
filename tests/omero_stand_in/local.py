"""Runs the stand-in's services on this machine, without Blitz. It needs an environment of the demo's packages.

Usage: local.py OMERODIR PORT DB_PORT DB_NAME DB_USER. The database's password is in OMERODIR/var/password.
"""

import signal
import sys
from pathlib import Path

from demo_image_server.settings import read_settings
from stand_in.configuration import STATE
from stand_in.router import INSECURE, KEY, started


def main(home: Path, port: str, *database: str) -> None:
    """Serve until a signal comes."""
    password = home / "var" / "password"
    db_port, name, user = database
    KEY.write_text("not a secret")
    STATE.parent.mkdir()
    STATE.write_text("active")
    demo = read_settings(
        {
            "DEMO_PORT": port,
            "DEMO_CERTIFICATE": str(home / "certificate.pem"),
            "DEMO_KEY": str(home / "key.pem"),
            "DEMO_PUBLIC_PASSWORD_FILE": str(KEY),
            "DEMO_DB_HOST": "127.0.0.1",
            "DEMO_DB_PORT": db_port,
            "DEMO_DB_NAME": name,
            "DEMO_DB_USER": user,
            "DEMO_DB_PASSWORD_FILE": str(password),
        }
    )
    config = {
        "omero.db.host": "127.0.0.1",
        "omero.db.name": name,
        "omero.db.user": user,
        "omero.db.pass": password.read_text(),
        "omero.client.icetransports": "ssl",
        "omero.ports.ssl": port,
        INSECURE: "",
    }
    communicator = started(config, demo)
    print("ready", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    communicator.destroy()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]), *sys.argv[2:])
