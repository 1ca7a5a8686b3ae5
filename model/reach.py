"""Find services outside the stack, named by settings, that the firewalls do not let nodes reach."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from urllib.parse import urlsplit

from model.extra_flows import ExtraFlow
from model.field_types import SEALED
from model.firewall import FETCH_PORTS
from model.hosts import is_dotted

LDAP_PORTS = {"ldap": 389, "ldaps": 636}


def shares(sources: Mapping[str, str], storage: IPv4Network | None) -> Iterator[str]:
    """Yield NFS servers outside the network for which the firewalls open NFS.

    `sources` are like 192.0.2.1:/path, by setting.
    """
    for setting, source in sources.items():
        host = source.partition(":")[0]
        if storage and is_dotted(host) and IPv4Address(host) not in storage:
            yield f"{setting}: {host} is not in storageNetwork.cidr {storage}; NFS is closed elsewhere"


def downloads(urls: Mapping[str, str], flows: Iterable[ExtraFlow]) -> Iterator[str]:
    """Yield URLs, by setting, with ports that neither the matrix nor a flow of the stack opens."""
    opened = FETCH_PORTS.union(*(flow.ports for flow in flows if flow.transport == "tcp"))
    for setting, url in urls.items():
        port = urlsplit(url).port
        if port and port not in opened:
            yield f"{setting}: nodes may fetch from ports 80 and 443, not from {port}: add a flow that opens it"


def services(where: str, config: Mapping[str, str], flows: Iterable[ExtraFlow]) -> Iterator[str]:
    """Yield services in OMERO's configuration under `where`, with ports that no flow of the stack opens."""
    opened = frozenset[int]().union(*(flow.ports for flow in flows if flow.transport == "tcp"))
    for key, port in _services(config):
        if port not in opened:
            yield f"{where}.config: {key} is at port {port}, which no flow opens; add one to flows"


def _services(config: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield the keys that name a service, each with the service's port, unless encrypted."""
    for url in config.get("omero.ldap.urls", "").replace(",", " ").split():
        try:
            parsed = urlsplit(url)
            port = parsed.port or LDAP_PORTS.get(parsed.scheme)
        except ValueError:
            continue
        if port:
            yield "omero.ldap.urls", port
    mail = config.get("omero.mail.port", "25")
    if config.get("omero.mail.host", SEALED) not in ("", SEALED) and mail.isdecimal():
        yield "omero.mail.host", int(mail)
