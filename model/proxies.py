"""The proxies of a site without direct internet access."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field

from model.field_types import SEALED, EachOnce, HostName, MachineNetwork, ProxyUrl, Section
from model.firewall import ANYWHERE
from model.hosts import is_dotted


class Proxies(Section):
    """The HTTP proxies of a closed site: for the distribution's packages, and for everything else."""

    packages: ProxyUrl | None = Field(None, description="For the distribution's packages")
    http: ProxyUrl | None = Field(None, description="For downloads")
    exceptions: Annotated[tuple[HostName, ...], EachOnce] = Field(
        (), description="Hosts that are reached directly (no_proxy); with `http`, `flows` must open them"
    )
    network: MachineNetwork | None = Field(
        None, description="The network of the proxies: firewalls open a proxy that has a name only there"
    )

    def problems(self) -> Iterator[str]:
        """Yield settings without effect, because their proxy is not set."""
        if self.exceptions and not self.http:
            yield "exceptions: is for `http`, which is not set"
        hosts = [urlsplit(url).hostname or "" for url in self.urls()]
        if self.network and SEALED not in (self.packages, self.http) and all(map(is_dotted, hosts)):
            yield "network: is for a proxy with a name, and there is none"

    def urls(self) -> tuple[str, ...]:
        """Return the proxies' URLs that are not encrypted."""
        return tuple(url for url in (self.packages, self.http) if url and url != SEALED)

    @property
    def for_packages(self) -> str | None:
        """Return the proxy for packages; by default the one for everything."""
        return self.packages or self.http

    @property
    def direct(self) -> tuple[str, ...]:
        """Return the hosts that need no proxy: the machine itself, the cloud's metadata, and the exceptions."""
        return ("localhost", "127.0.0.1", "169.254.169.254", *self.exceptions)

    def have_password(self) -> bool:
        """Return whether a proxy's URL contains a password."""
        return any(urlsplit(url).password for url in self.urls())

    def endpoints(self) -> tuple[tuple[IPv4Network, int], ...]:
        """Return the networks and ports of the proxies, for the firewalls."""
        return tuple(sorted({(self._network(url), AnyHttpUrl(url).port or 0) for url in self.urls()}))

    def _network(self, url: str) -> IPv4Network:
        try:
            return IPv4Network(urlsplit(url).hostname or "")
        except ValueError:
            # Firewall rules cannot have host names.
            return self.network or ANYWHERE
