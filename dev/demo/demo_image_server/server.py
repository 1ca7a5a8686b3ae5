"""The Ice server, with the endpoints of OMERO's router: TLS, and websockets over TLS (Ice's `wss`)."""

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
    """Return the properties of Ice."""
    return {
        "Ice.Plugin.IceSSL": "IceSSL:createIceSSL",
        "IceSSL.CertFile": str(settings.certificate.resolve()),
        "IceSSL.KeyFile": str(settings.key.resolve()),
        "IceSSL.VerifyPeer": "0",  # clients log in by password, not by certificate
        "IceSSL.Ciphers": "HIGH:!DHE",  # there are no parameters for DHE: a handshake with it would fail
        "Ice.ThreadPool.Server.Size": "4",
        "Ice.ThreadPool.Server.SizeMax": "32",
        "Ice.MessageSizeMax": "65536",
        "Ice.Warn.Dispatch": "1",
    }


def start(settings: Settings, catalogue: Catalogue) -> Any:
    """Listen. Return the communicator, which the caller must destroy. Raise Ice.Exception."""
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in properties(settings).items():
        data.properties.setProperty(name, value)
    communicator = Ice.initialize(data)
    # Ice needs these factories to decode OMERO's objects in requests.
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
    threading.Thread(target=catalogue.wait_for_database, daemon=True).start()
    log.info("listening at %s", endpoints)
    return communicator
