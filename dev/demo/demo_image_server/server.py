"""The Ice server, where OMERO's clients expect a router: over TLS, and over websockets in TLS (Ice's own `wss`)."""

import logging
import threading
from typing import Any

import Ice
import omero
import omero.all
import omero.ObjectFactoryRegistrar
import omero.rtypes

from .catalogue import Catalogue
from .router import Locator, Router
from .sessions import Sessions
from .settings import Settings
from .users import LOGINS

ROUTER = "OMERO.Glacier2/router"
log = logging.getLogger(__name__)


def properties(settings: Settings) -> dict[str, str]:
    """Ice's own settings."""
    return {
        "Ice.Plugin.IceSSL": "IceSSL:createIceSSL",
        "IceSSL.CertFile": str(settings.certificate.resolve()),
        "IceSSL.KeyFile": str(settings.key.resolve()),
        "IceSSL.VerifyPeer": "0",  # clients prove who they are by password
        "IceSSL.Ciphers": "HIGH:!DHE",  # without parameters for DHE, a handshake that picks it would fail
        "Ice.ThreadPool.Server.Size": "4",
        "Ice.ThreadPool.Server.SizeMax": "32",
        "Ice.MessageSizeMax": "65536",
        "Ice.Warn.Dispatch": "1",
    }


def start(settings: Settings, catalogue: Catalogue) -> Any:
    """Listen; returns the communicator, which the caller waits for and destroys. Raises Ice.Exception."""
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in properties(settings).items():
        data.properties.setProperty(name, value)
    communicator = Ice.initialize(data)
    # Without their factories, OMERO's objects in a request cannot be read.
    omero.ObjectFactoryRegistrar.registerObjectFactory(communicator, None)
    for factory in omero.rtypes.ObjectFactories.values():
        factory.register(communicator)
    ports = {"ssl": settings.port, "wss": settings.websocket_port}
    endpoints = ":".join(f"{protocol} -h {settings.address} -p {port}" for protocol, port in ports.items())
    adapter = communicator.createObjectAdapterWithEndpoints("demo", endpoints)
    sessions = Sessions(LOGINS, settings.public_password_file, settings.session_idle_seconds)
    adapter.add(Router(sessions, settings), communicator.stringToIdentity(ROUTER))
    adapter.addServantLocator(Locator(sessions, catalogue, settings), "")
    adapter.activate()
    threading.Thread(target=catalogue.keep_trying, daemon=True).start()
    log.info("listening at %s", endpoints)
    return communicator
