"""Settings of the demo image server, from the environment (on a guest: /etc/omero-demo-image-server.env)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """Settings are missing or wrong; the message names all of them."""


@dataclass(frozen=True)
class Database:
    """The database of the catalogue, and the account for it."""

    host: str
    port: int
    name: str
    user: str
    password_file: Path
    ca_file: Path | None
    """CA that signed the database's certificate; with it, TLS is required and the certificate verified."""

    def connection_arguments(self) -> dict[str, str | int]:
        """Return keyword arguments of psycopg2.connect. Read the password each time, because it can be rotated."""
        tls = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)} if self.ca_file else {}
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "password": self.password_file.read_text().strip(),
            "connect_timeout": 5,
            # Give up a silent connection after 10 s. By default, libpq waits for minutes.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "application_name": "demo-image-server",
            **tls,
        }


@dataclass(frozen=True)
class Settings:
    """The settings of the server."""

    address: str
    port: int
    websocket_port: int
    certificate: Path
    key: Path
    public_password_file: Path
    database: Database
    session_idle_seconds: int
    render_delay_seconds: float
    """Delay of every picture, so that a benchmark can imitate the time that a real server takes to render."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from `DEMO_*` variables. Raise SettingsError."""
    problems: list[str] = []

    def text(name: str, default: str | None = None) -> str:
        value = environment.get(f"DEMO_{name}") or default
        if value is None:
            problems.append(f"DEMO_{name} is not set")
        return value or ""

    def number(name: str, default: int) -> int:
        value = text(name, str(default))
        if value.isdigit():
            return int(value)
        problems.append(f"DEMO_{name} is {value!r}, not a whole number")
        return default

    ca_file = environment.get("DEMO_DB_CA_FILE")
    settings = Settings(
        address=text("ADDRESS", "127.0.0.1"),
        port=number("PORT", 4064),
        websocket_port=number("WEBSOCKET_PORT", 4066),
        certificate=Path(text("CERTIFICATE")),
        key=Path(text("KEY")),
        public_password_file=Path(text("PUBLIC_PASSWORD_FILE")),
        database=Database(
            host=text("DB_HOST"),
            port=number("DB_PORT", 5432),
            name=text("DB_NAME", "omero"),
            user=text("DB_USER", "omero"),
            password_file=Path(text("DB_PASSWORD_FILE")),
            ca_file=Path(ca_file) if ca_file else None,
        ),
        session_idle_seconds=number("SESSION_IDLE_SECONDS", 600),
        render_delay_seconds=number("RENDER_DELAY_MS", 0) / 1000,
    )
    files = {
        "CERTIFICATE": settings.certificate,
        "KEY": settings.key,
        "PUBLIC_PASSWORD_FILE": settings.public_password_file,
        "DB_PASSWORD_FILE": settings.database.password_file,
        "DB_CA_FILE": settings.database.ca_file,
    }
    for name, path in files.items():
        if path and path != Path() and not os.access(path, os.R_OK):
            problems.append(f"DEMO_{name}: {path} cannot be read")
    if problems:
        raise SettingsError("; ".join(problems))
    return settings
