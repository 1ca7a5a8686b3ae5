"""The configuration and the database connection that the stand-ins for Blitz and Glacier2 share."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import omero.config
import psycopg2

HOME = Path(os.environ["OMERODIR"])
STATE = HOME / "var/master/Blitz-0"
"""As `icegridadmin -e "server state Blitz-0"` prints it."""


def settings() -> dict[str, str]:
    """Read the properties that `omero load` wrote to etc/grid/config.xml."""
    config = omero.config.ConfigXml(str(HOME / "etc/grid/config.xml"), read_only=True)
    values: dict[str, str] = config.as_map()
    config.close()
    return values


def connect(config: dict[str, str]) -> Any:
    """Connect as JDBC does. Without omero.db.properties it accepts any server, even one without TLS."""
    wanted = dict(parse_qsl(config.get("omero.db.properties", "")))
    return psycopg2.connect(
        host=config["omero.db.host"],
        dbname=config["omero.db.name"],
        user=config["omero.db.user"],
        password=config["omero.db.pass"],
        connect_timeout=int(wanted.get("connectTimeout", "10")),
        sslmode=wanted.get("sslmode", "prefer"),
        sslrootcert=wanted.get("sslrootcert", ""),
    )
