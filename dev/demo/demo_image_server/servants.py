"""Ice servants for plain Python objects.

A service is an object with one method for each operation that it has, named as in OMERO's Slice files. Most of OMERO's
operations are dispatched asynchronously (`name_async(callback, ...)`); services need not know which. For an operation
that a service does not have, the client gets an omero.SecurityViolation if the operation would write, as from
OMERO.server, and otherwise an omero.InternalException, with one line in the log.
"""

import inspect
import logging
import re
from typing import Any

import Ice
import omero

from .catalogue import CatalogueUnavailableError

log = logging.getLogger(__name__)

_WRITES = re.compile(
    "add|apply|change|copy|create|delete|edit|index|invalidate|link|move|populate|project|remove"
    "|report|reset|run|save|set|submit|synchronize|truncate|unlink|unset|update|upload|write"
)
"""How the names of operations begin that change data or run something."""

_logged: set[str] = set()
_classes: dict[tuple[type, type], Any] = {}


def servant(skeleton: type, service: object) -> Any:
    """Return a servant with the interface of `skeleton`, whose operations are the methods of `service`."""
    key = skeleton, type(service)
    if key not in _classes:
        _classes[key] = _servant_class(*key)
    return _classes[key](service)


def _servant_class(skeleton: type, service: type) -> Any:
    operations: dict[str, Any] = {"__init__": _keep_service}
    for name in dir(skeleton):
        if name.startswith(("_", "ice_")):
            continue
        operation = name.removesuffix("_async")
        method = getattr(service, operation, None)
        void = method is not None and inspect.signature(method).return_annotation is None
        dispatcher = _asynchronous if name.endswith("_async") else _synchronous
        operations[name] = dispatcher(f"{skeleton.__name__}.{operation}", operation, void)
    return type(f"{skeleton.__name__}Servant", (skeleton,), operations)


def _keep_service(self: Any, service: object) -> None:
    self.service = service


def _asynchronous(title: str, operation: str, void: bool) -> Any:
    def dispatch(self: Any, callback: Any, *arguments: Any) -> None:
        try:
            result = _call(self.service, title, operation, arguments)
        except Exception as error:  # noqa: BLE001 (the client gets every error as an answer)
            callback.ice_exception(error)
        else:
            # ice_response(None) of a void operation, or ice_response() of another, ends the whole process.
            callback.ice_response() if void else callback.ice_response(result)

    return dispatch


def _synchronous(title: str, operation: str, void: bool) -> Any:
    def dispatch(self: Any, *arguments: Any) -> Any:
        result = _call(self.service, title, operation, arguments)
        return None if void else result

    return dispatch


def _call(service: object, title: str, operation: str, arguments: tuple[Any, ...]) -> Any:
    method = getattr(service, operation, None)
    if method is None:
        if _WRITES.match(operation):
            raise omero.SecurityViolation(None, None, f"the public user may only read: {title} is refused")
        if title not in _logged:
            _logged.add(title)
            log.warning("asked for %s, which the demo image server does not have", title)
        raise omero.InternalException(None, None, f"the demo image server does not have {title}")
    try:
        return method(*arguments[:-1])  # the last is Ice.Current
    except Ice.Exception:
        raise
    except CatalogueUnavailableError as error:
        raise omero.InternalException(None, None, f"the demo catalogue's database does not answer: {error}") from error
    except Exception as error:
        log.exception("%s failed", title)
        raise omero.InternalException(None, None, f"{title} failed: {error}") from error
