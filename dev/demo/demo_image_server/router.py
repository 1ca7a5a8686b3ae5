"""Logins (Glacier2's router), and the servant of each request. Every request needs a session."""

import logging
from collections.abc import Callable
from typing import Any

import Glacier2
import Ice
import omero
import omero.all  # without it, omero.api has no interfaces
import omero.cmd
import omero.grid
from omero import api

from . import administration, services
from .catalogue import Catalogue, UserCatalogue
from .commands import RefusedCommand
from .raw_pixels import RawPixels
from .rendering import Renderer, Thumbnails
from .search import Search
from .servants import servant
from .sessions import Session, Sessions
from .settings import Settings
from .stateful import Stateful
from .users import GUEST, USERS

SESSION_CATEGORY = "session"
log = logging.getLogger(__name__)


class Router(Glacier2.Router):
    """Logs users in. It forwards nothing: the services have the router's own endpoint."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings

    def createSession_async(self, callback: Any, user: str, password: str, current: Any) -> None:
        session = self._sessions.log_in(user, password)
        if session is None:
            if user != password:  # otherwise a client tried to join a session that has ended
                log.warning("refused a login")
            callback.ice_exception(Glacier2.PermissionDeniedException("wrong user or password"))
            return
        identity = Ice.Identity(session.uuid, SESSION_CATEGORY)
        callback.ice_response(Glacier2.SessionPrx.uncheckedCast(current.adapter.createProxy(identity)))

    def createSessionFromSecureConnection_async(self, callback: Any, current: Any = None) -> None:
        callback.ice_exception(Glacier2.PermissionDeniedException("log in with a password"))

    def getClientProxy(self, current: Any = None) -> None:
        """Return None: clients stay at this endpoint."""

    def getServerProxy(self, current: Any = None) -> Any:
        return current.adapter.createProxy(Ice.Identity("callbacks", "demo"))

    def addProxies(self, proxies: Any, current: Any = None) -> list[Any]:
        return []

    def getCategoryForClient(self, current: Any = None) -> str:
        return "client"

    def getSessionTimeout(self, current: Any = None) -> int:
        return self._settings.session_idle_seconds

    def getACMTimeout(self, current: Any = None) -> int:
        return 0

    def refreshSession_async(self, callback: Any, current: Any = None) -> None:
        callback.ice_response()

    def destroySession(self, current: Any = None) -> None:
        """Do nothing: a session outlives a connection, because other clients may have joined it."""


class ServiceFactory:
    """omero.api.ServiceFactory: the services of a session."""

    def __init__(self, session: Session, sessions: Sessions, adapter: Any, catalogue: Catalogue, delay: float) -> None:
        self._session, self._sessions, self._adapter = session, sessions, adapter
        self._catalogue, self._delay = catalogue, delay

    def createRenderingEngine(self) -> Any:
        engine = servant(api.RenderingEngine, Renderer(self._catalogue, self._delay))
        return self._proxy(api.RenderingEnginePrx, self._session.open(engine))

    def createThumbnailStore(self) -> Any:
        store = servant(api.ThumbnailStore, Thumbnails(self._catalogue, self._delay))
        return self._proxy(api.ThumbnailStorePrx, self._session.open(store))

    def createRawPixelsStore(self) -> Any:
        store = servant(api.RawPixelsStore, RawPixels(self._catalogue))
        return self._proxy(api.RawPixelsStorePrx, self._session.open(store))

    def createSearchService(self) -> Any:
        search = servant(api.Search, Search(self._catalogue))
        return self._proxy(api.SearchPrx, self._session.open(search))

    def createRawFileStore(self) -> Any:
        return self._proxy(api.RawFileStorePrx, self._session.open(servant(api.RawFileStore, Stateful())))

    def submit(self, request: Any) -> Any:
        handle = servant(omero.cmd.Handle, RefusedCommand(request))
        return self._proxy(omero.cmd.HandlePrx, self._session.open(handle))

    def sharedResources(self) -> Any:
        return self._proxy(omero.grid.SharedResourcesPrx, "SharedResources")

    def setCallback(self, callback: Any) -> None:
        """Do nothing: the server calls no callbacks."""

    def subscribe(self, topic: str, proxy: Any) -> None:
        """Do nothing: there are no topics."""

    def closeOnDestroy(self) -> None:
        """Do nothing: sessions end when they are closed or idle."""

    def detachOnDestroy(self) -> None:
        """Do nothing: sessions end when they are closed or idle."""

    def destroy(self) -> None:
        self._sessions.close(self._session.uuid)

    def activeServices(self) -> list[str]:
        return list(self._session.services)

    def keepAlive(self, proxy: Any) -> bool:
        return True  # the request itself restarted the idle time

    def keepAllAlive(self, proxies: Any) -> int:
        return 0

    def getByName(self, name: str) -> Any:
        interface = name.rsplit(".", 1)[-1]
        if interface not in _GETTERS.values():
            raise omero.ApiUsageException(None, None, f"{name} is no service")
        return self._proxy(api.ServiceInterfacePrx, interface)

    def _proxy(self, proxy_class: Any, name: str) -> Any:
        return proxy_class.uncheckedCast(self._adapter.createProxy(Ice.Identity(name, self._session.uuid)))


def _getter(name: str) -> Callable[[ServiceFactory], Any]:
    def get(self: ServiceFactory) -> Any:
        return self._proxy(getattr(api, f"{name}Prx"), name)

    return get


_GETTERS = {
    "getAdminService": "IAdmin",
    "getConfigService": "IConfig",
    "getContainerService": "IContainer",
    "getLdapService": "ILdap",
    "getMetadataService": "IMetadata",
    "getPixelsService": "IPixels",
    "getProjectionService": "IProjection",
    "getQueryService": "IQuery",
    "getRenderingSettingsService": "IRenderingSettings",
    "getRepositoryInfoService": "IRepositoryInfo",
    "getRoiService": "IRoi",
    "getScriptService": "IScript",
    "getSessionService": "ISession",
    "getShareService": "IShare",
    "getTimelineService": "ITimeline",
    "getTypesService": "ITypes",
    "getUpdateService": "IUpdate",
}
for _method, _name in _GETTERS.items():
    setattr(ServiceFactory, _method, _getter(_name))


_UNSUPPORTED = ("ILdap", "IProjection", "IRepositoryInfo", "IShare", "ITimeline", "IUpdate")
"""Services without operations, which clients open anyway."""


class Locator(Ice.ServantLocator):
    """Selects the servant of a request by the session in its identity."""

    def __init__(self, sessions: Sessions, catalogue: Catalogue, settings: Settings) -> None:
        self._sessions, self._catalogue, self._settings = sessions, catalogue, settings
        users = (*USERS, GUEST)
        self._stateless = {user: self._services(sessions, UserCatalogue(catalogue, user)) for user in users}

    def _services(self, sessions: Sessions, catalogue: Catalogue) -> dict[str, Any]:
        return {
            "IConfig": servant(api.IConfig, administration.Config()),
            "IContainer": servant(api.IContainer, services.Container(catalogue)),
            "IMetadata": servant(api.IMetadata, services.Metadata(catalogue)),
            "IPixels": servant(api.IPixels, services.Pixels(catalogue)),
            "IQuery": servant(api.IQuery, services.Query(catalogue)),
            "IRenderingSettings": servant(api.IRenderingSettings, services.RenderingSettings()),
            "IRoi": servant(api.IRoi, services.Rois()),
            "IScript": servant(api.IScript, services.Scripts()),
            "ISession": servant(api.ISession, administration.SessionService(sessions)),
            "ITypes": servant(api.ITypes, services.Types()),
            "SharedResources": servant(omero.grid.SharedResources, services.SharedResources()),
            **{name: servant(getattr(api, name), services.Unsupported()) for name in _UNSUPPORTED},
        }

    def locate(self, current: Any) -> Any:
        """Return the servant, or None after the end of the session: Ice then raises ObjectNotExistException."""
        identity = current.id
        if identity.category == SESSION_CATEGORY:
            session = self._sessions.use(identity.name)
            return session and servant(api.ServiceFactory, self._factory(session, current.adapter))
        session = self._sessions.use(identity.category)
        if session is None:
            return None
        if identity.name == "IAdmin":
            return servant(api.IAdmin, administration.Admin(session))
        return self._stateless[session.user].get(identity.name) or session.services.get(identity.name)

    def finished(self, current: Any, servant: Any, cookie: Any) -> None:
        """Do nothing after a request."""

    def deactivate(self, category: str) -> None:
        """Do nothing at the end."""

    def _factory(self, session: Session, adapter: Any) -> ServiceFactory:
        delay = self._settings.render_delay_seconds
        catalogue = UserCatalogue(self._catalogue, session.user)
        return ServiceFactory(session, self._sessions, adapter, catalogue, delay)
