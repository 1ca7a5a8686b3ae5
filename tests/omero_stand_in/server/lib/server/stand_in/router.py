"""Replaces Glacier2 and the services behind it. Users with an account in the database can log in while Blitz runs.

After logging in, visitors get the demo image server's services.
"""

import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import Glacier2
import Ice
import omero.cmd
import omero.grid
import omero.ObjectFactoryRegistrar
import omero.rtypes
import psycopg2
from demo_image_server import administration, server
from demo_image_server.catalogue import Catalogue
from demo_image_server.router import SESSION_CATEGORY, Locator, Router, ServiceFactory
from demo_image_server.servants import servant
from demo_image_server.sessions import Session, Sessions
from demo_image_server.settings import Settings, read_settings
from demo_image_server.users import VISITOR
from omero import api

from stand_in import annotated, graphs, opened, questions, rendered, repository
from stand_in.accounts import ROOT, Account, Accounts, Administrator
from stand_in.configuration import HOME, STATE, settings
from stand_in.repository import Client

PREFIX = "omero.glacier2."
INSECURE = "omero.router.insecure"
PORTS = {"ssl": "4064", "tcp": "4063", "ws": "4065", "wss": "4066"}
ANYBODY, KEY = VISITOR, HOME / "var/router-key"
"""All users get the services of this user; the file has the password that the demo image server expects."""


class StrictSessions(Sessions):
    """The sessions of users whose accounts are in the database."""

    def __init__(self, accounts: Accounts, key: Path, idle_seconds: float) -> None:
        """Give the demo image server the file `key` instead of a password file."""
        super().__init__((ANYBODY,), key, idle_seconds)
        self._accounts = accounts
        self.account_of: dict[str, Account] = {}

    def log_in(self, user: str, password: str) -> Session | None:
        """Return a new session, or join the one that user and password both name; None if refused."""
        # Even joining a session needs the database.
        account = self._accounts.account(user, password)
        if user == password and (joined := self.use(user)):
            return joined
        session = super().log_in(ANYBODY.name, KEY.read_text()) if account else None
        if account and session:
            self.account_of[session.uuid] = account
        return session


class StrictRouter(Router):
    """Answers as Glacier2 does for Blitz."""

    def createSession_async(self, callback: Any, user: str, password: str, current: Any) -> None:
        if not STATE.read_text().startswith("active"):
            callback.ice_exception(Glacier2.PermissionDeniedException("internal server error"))
            return
        try:
            session = self._sessions.log_in(user, password)
        except psycopg2.Error:
            callback.ice_exception(Glacier2.PermissionDeniedException("internal server error"))
            return
        if session is None:
            callback.ice_exception(Glacier2.PermissionDeniedException(f"Password check failed for '{user}'"))
            return
        identity = Ice.Identity(session.uuid, SESSION_CATEGORY)
        callback.ice_response(Glacier2.SessionPrx.uncheckedCast(current.adapter.createProxy(identity)))


class StrictConfig(administration.Config):
    """omero.api.IConfig with the values that clients need to create users and to connect without TLS."""

    def __init__(self, config: dict[str, str]) -> None:
        self._known = {"omero.security.password_required": "true", INSECURE: config[INSECURE]}

    def getConfigValue(self, key: str) -> str:
        return self._known.get(key) or super().getConfigValue(key)


class StrictAdmin(administration.Admin):
    """omero.api.IAdmin of a user with an account."""

    def __init__(self, session: Session, account: Account) -> None:
        super().__init__(session)
        self._account = account

    def getEventContext(self) -> Any:
        context = super().getEventContext()
        context.userId, context.userName = self._account.number, self._account.name
        return context


class StrictFactory(ServiceFactory):
    """omero.api.ServiceFactory that carries out commands and opens imported images."""

    def __init__(self, client: Client, sessions: Sessions, catalogue: opened.WithImported, delay: float) -> None:
        super().__init__(client.session, sessions, client.adapter, catalogue, delay)
        self._client, self._with_imported = client, catalogue

    def createRawPixelsStore(self) -> Any:
        store = opened.StrictPixels(self._with_imported, self._client.accounts)
        return self._client.open(api.RawPixelsStorePrx, api.RawPixelsStore, store)

    def createRenderingEngine(self) -> Any:
        engine = rendered.StrictRenderer(self._with_imported, self._client.accounts, self._delay)
        return self._client.open(api.RenderingEnginePrx, api.RenderingEngine, engine)

    def submit(self, request: Any) -> Any:
        return self._client.open(omero.cmd.HandlePrx, omero.cmd.Handle, graphs.handle_of(request, self._client))


class StrictLocator(Locator):
    """Gives root an administrator's services, and everybody the repository."""

    def __init__(self, sessions: StrictSessions, accounts: Accounts, config: dict[str, str], *rest: Any) -> None:
        super().__init__(sessions, *rest)
        self._account_of, self._accounts = sessions.account_of, accounts
        catalogue = opened.WithImported(self._catalogue, accounts)
        self._stateless[ANYBODY] |= {
            "IConfig": servant(api.IConfig, StrictConfig(config)),
            "IQuery": servant(api.IQuery, questions.Query(catalogue, accounts)),
            "IUpdate": servant(api.IUpdate, questions.Update(catalogue, accounts)),
        }

    def locate(self, current: Any) -> Any:
        identity = current.id
        session = self._sessions.use(identity.category)
        if session and identity.name in _OF_A_CLIENT:
            return _OF_A_CLIENT[identity.name](self._client(session, current.adapter))
        return super().locate(current)

    def _client(self, session: Session, adapter: Any) -> Client:
        return Client(self._account_of[session.uuid], session, self._accounts, adapter)

    def _factory(self, session: Session, adapter: Any) -> ServiceFactory:
        catalogue = opened.WithImported(self._catalogue, self._accounts)
        delay = self._settings.render_delay_seconds
        return StrictFactory(self._client(session, adapter), self._sessions, catalogue, delay)


def _administration(client: Client) -> Any:
    if client.account.number == ROOT:
        return servant(api.IAdmin, Administrator(client.accounts, client.session.uuid))
    return servant(api.IAdmin, StrictAdmin(client.session, client.account))


_OF_A_CLIENT: dict[str, Callable[[Client], Any]] = {
    "IAdmin": _administration,
    "SharedResources": lambda client: servant(omero.grid.SharedResources, annotated.WithTables(client)),
    "ManagedRepository": lambda client: servant(omero.grid.ManagedRepository, repository.ManagedRepository(client)),
}


def demo_settings(config: dict[str, str]) -> Settings:
    """Return the settings of the demo image server, for its catalogue and its services."""
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
    """Start Ice with the properties that IceGrid would give Glacier2: omero.glacier2.IceSSL.* over the defaults."""
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
    communicator = started(config, demo_settings(config))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    communicator.destroy()


def started(config: dict[str, str], demo: Settings) -> Any:
    """Start serving; return the communicator, whose `destroy` ends it."""
    accounts = Accounts(config)
    sessions = StrictSessions(accounts, KEY, demo.session_idle_seconds)
    communicator = communicator_of(config, demo)
    endpoints = ":".join(
        f"{name} -h {demo.address} -p {config.get(f'omero.ports.{name}', PORTS[name])}"
        for name in config.get("omero.client.icetransports", "ssl,tcp").split(",")
    )
    adapter = communicator.createObjectAdapterWithEndpoints("glacier2", endpoints)
    adapter.add(StrictRouter(sessions, demo), communicator.stringToIdentity(server.ROUTER))
    adapter.addServantLocator(StrictLocator(sessions, accounts, config, Catalogue(demo.database), demo), "")
    adapter.activate()
    return communicator


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
