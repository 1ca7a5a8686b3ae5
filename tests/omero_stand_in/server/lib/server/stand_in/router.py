"""Stands in for Glacier2 and the services behind it: lets in who has an account in the database, while Blitz runs.

Beyond logging in, visitors get the demo image server's services.
"""

import secrets
import signal
from pathlib import Path
from typing import Any

import Glacier2
import Ice
import omero.ObjectFactoryRegistrar
import omero.rtypes
from demo_image_server import server, services
from demo_image_server.catalogue import Catalogue
from demo_image_server.router import SESSION_CATEGORY, Locator, Router
from demo_image_server.servants import servant
from demo_image_server.sessions import Session, Sessions
from demo_image_server.settings import Settings, read_settings
from demo_image_server.users import VISITOR
from omero import api

from stand_in.accounts import ROOT, Accounts, Administrator
from stand_in.configuration import HOME, STATE, settings

PREFIX = "omero.glacier2."
PORTS = {"ssl": "4064", "tcp": "4063", "ws": "4065", "wss": "4066"}
ANYBODY, KEY = VISITOR, HOME / "var/router-key"
"""Whose services everybody is given, and what the demo takes for that one's password."""


class StrictSessions(Sessions):
    """Who is logged in, by the accounts of the database."""

    def __init__(self, accounts: Accounts, key: Path, idle_seconds: float) -> None:
        """The demo image server gets `key` instead of a password."""
        super().__init__((ANYBODY,), key, idle_seconds)
        self._accounts = accounts
        self.root: set[str] = set()

    def log_in(self, user: str, password: str) -> Session | None:
        """A new session, or the one that both words name; None: refused."""
        if user == password and (joined := self.use(user)):
            return joined
        if (number := self._accounts.number(user, password)) is None:
            return None
        session = super().log_in(ANYBODY.name, KEY.read_text())
        if session and number == ROOT:
            self.root.add(session.uuid)
        return session


class StrictRouter(Router):
    """Answers as Glacier2 does for Blitz."""

    def createSession_async(self, callback: Any, user: str, password: str, current: Any) -> None:
        if not STATE.read_text().startswith("active"):
            callback.ice_exception(Glacier2.PermissionDeniedException("internal server error"))
            return
        session = self._sessions.log_in(user, password)
        if session is None:
            callback.ice_exception(Glacier2.PermissionDeniedException(f"Password check failed for '{user}'"))
            return
        identity = Ice.Identity(session.uuid, SESSION_CATEGORY)
        callback.ice_response(Glacier2.SessionPrx.uncheckedCast(current.adapter.createProxy(identity)))


class StrictConfig(services.Config):
    """omero.api.IConfig with the default that matters to whoever makes users."""

    def getConfigValue(self, key: str) -> str:
        return "true" if key == "omero.security.password_required" else super().getConfigValue(key)


class StrictLocator(Locator):
    """Gives root an administrator's services."""

    def __init__(self, sessions: StrictSessions, accounts: Accounts, *rest: Any) -> None:
        super().__init__(sessions, *rest)
        self._root, self._accounts = sessions.root, accounts
        self._stateless[ANYBODY]["IConfig"] = servant(api.IConfig, StrictConfig())

    def locate(self, current: Any) -> Any:
        identity = current.id
        if identity.name == "IAdmin" and identity.category in self._root:
            return servant(api.IAdmin, Administrator(self._accounts, identity.category))
        return super().locate(current)


def demo_settings(config: dict[str, str]) -> Settings:
    """The demo image server's, for its catalogue and its services."""
    password = _private("database-password", config["omero.db.pass"])
    folder = Path(config[f"{PREFIX}IceSSL.DefaultDir"])
    given = folder / config[f"{PREFIX}IceSSL.CertFile"]
    return read_settings(
        {
            "DEMO_ADDRESS": config["Ice.Default.Host"],
            "DEMO_CERTIFICATE": str(given),
            "DEMO_KEY": str(folder / config.get(f"{PREFIX}IceSSL.KeyFile", given.name)),
            "DEMO_PUBLIC_PASSWORD_FILE": str(_private(KEY.name, secrets.token_hex(16))),
            "DEMO_DB_HOST": config["omero.db.host"],
            "DEMO_DB_NAME": config["omero.db.name"],
            "DEMO_DB_USER": config["omero.db.user"],
            "DEMO_DB_PASSWORD_FILE": str(password),
            "DEMO_DB_CA_FILE": "/etc/idr/ca.crt",
        }
    )


def _private(name: str, text: str) -> Path:
    path = HOME / "var" / name
    path.touch(0o600)
    path.write_text(text)
    return path


def communicator_of(config: dict[str, str], demo: Settings) -> Any:
    """Ice with what IceGrid would hand to Glacier2: omero.glacier2.IceSSL.* over the defaults."""
    own = {name[len(PREFIX) :]: value for name, value in config.items() if name.startswith(f"{PREFIX}IceSSL.")}
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in (server.properties(demo) | {"IceSSL.KeyFile": str(demo.key)} | own).items():
        data.properties.setProperty(name, value)
    communicator = Ice.initialize(data)
    omero.ObjectFactoryRegistrar.registerObjectFactory(communicator, None)
    for factory in omero.rtypes.ObjectFactories.values():
        factory.register(communicator)
    return communicator


def main() -> None:
    """Serve at OMERO's ports until a signal comes."""
    config = settings()
    accounts, demo = Accounts(config), demo_settings(config)
    sessions = StrictSessions(accounts, KEY, demo.session_idle_seconds)
    communicator = communicator_of(config, demo)
    endpoints = ":".join(
        f"{name} -h {demo.address} -p {config.get(f'omero.ports.{name}', PORTS[name])}"
        for name in config.get("omero.client.icetransports", "ssl,tcp").split(",")
    )
    adapter = communicator.createObjectAdapterWithEndpoints("glacier2", endpoints)
    adapter.add(StrictRouter(sessions, demo), communicator.stringToIdentity(server.ROUTER))
    adapter.addServantLocator(StrictLocator(sessions, accounts, Catalogue(demo.database), demo), "")
    adapter.activate()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    communicator.destroy()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
