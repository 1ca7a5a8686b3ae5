"""The contexts of the templates of proxy and OMERO.web, beside `cloudinit.contexts.Common`."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal, Self

from cloudinit.source import Source
from model import addresses, balancing, caching, content_policy, firewall, programs
from model.addresses import Address
from model.caching import Kind
from model.certificates import Certificate
from model.limits import ProxyLimits, WebLimits
from model.locations import ProxyLocation, answered_first, locations
from model.nginx_snippets import Snippet
from model.omero_nodes import service_name
from model.plan import Node, Plan
from model.public_certificate import Acme
from model.public_site import PublicSite
from model.redirects import Redirect
from model.roles import OMERO_ROLES, Role
from model.visitors import Visitors
from model.web_apps import App


@dataclass(frozen=True, repr=False)
class Web:
    """OMERO.web: its OMERO.server, its sessions in Redis, and its limit of concurrent requests.

    `apps` are the applications beside it, in the order in which it loads them.
    """

    visitors: Visitors
    port: int
    omero_server: Node
    omero_ssl_port: int
    public_password: str
    url_filter: str
    apps: tuple[App, ...]
    redis: Node
    redis_password: str
    session_cookie: str
    limits: WebLimits

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        node, release = source.node, source.release
        apps = source.plan.settings.apps_of(release.name)
        return cls(
            visitors=source.plan.settings.visitors,
            port=firewall.WEB_PORT,
            # The OMERO.server on the same node, if there is one (IDR/deployment#47).
            omero_server=node if OMERO_ROLES.intersection(node.roles) else source.first(*OMERO_ROLES),
            omero_ssl_port=firewall.OMERO_SSL_PORT,
            public_password=source.plan.settings.public_password,
            url_filter=addresses.url_filter([app.name for app in apps], _of_site(apps)),
            apps=apps,
            redis=source.first(Role.REDIS),
            redis_password=source.password("redis"),
            session_cookie=balancing.session_cookie(release),
            limits=source.limits(WebLimits),
        )


@dataclass(frozen=True)
class SiteText:
    """A file of the site's own beside nginx's pages."""

    name: str
    text: str


@dataclass(frozen=True, repr=False)
class Proxy:
    """nginx: its locations and names, its cache, its upstreams, and the limits for one visitor.

    `tls` is the folder of the certificate for visitors; `acme` is set on the live release's first proxy, which requests
    it. `apps` are the applications beside OMERO.web; where one `has_front_page`, it answers `/`.
    """

    visitors: Visitors
    host_name: str
    tls: Literal["acme", "given"]
    public_certificate: Certificate
    acme: Acme | None
    acme_authority: str
    public_password: str
    redirects: tuple[Redirect, ...]
    apps: tuple[App, ...]
    has_front_page: bool
    content_policy: str
    addresses: tuple[Address, ...]
    known_arguments: dict[str, str]
    kept_groups: tuple[str, ...]
    credentials: str
    kinds: tuple[Kind, ...]
    unused: str
    unlimited: tuple[IPv4Network, ...]
    limits: ProxyLimits
    session_cookie: str
    web_port: int
    bypass_port: int
    serves_omero: bool
    omero_servers: tuple[Node, ...]
    omero_shares: tuple[str, ...]
    omero_name: str
    omero_ssl_port: int
    omero_server_ports: tuple[int, ...]
    omero_websocket_port: int
    uploads: tuple[Node, ...]
    upload_port: int
    locations: tuple[ProxyLocation, ...]
    answered_first: tuple[ProxyLocation, ...]
    site: PublicSite
    site_texts: tuple[SiteText, ...]
    site_locations: tuple[Snippet, ...]

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the values for a node."""
        node, release, plan = source.node, source.release, source.plan
        apps = plan.settings.apps_of(release.name)
        names, of_site = [app.name for app in apps], _of_site(apps)
        acme = plan.settings.acme if node == plan.public_node() else None
        is_public = plan.settings.visitors == Visitors.PUBLIC
        return cls(
            visitors=plan.settings.visitors,
            host_name=plan.host_name,
            tls="acme" if acme else "given",
            public_certificate=_own_certificate(plan) or source.secrets.visitors_certificate(node.name, plan.host_name),
            acme=acme,
            acme_authority=acme.authority.strip() if acme and acme.authority else "",
            public_password=plan.settings.public_password,
            redirects=plan.settings.redirects,
            apps=apps,
            has_front_page=any(app.is_root for app in apps),
            content_policy=content_policy.of(apps),
            addresses=(addresses.opened if is_public else addresses.opened_for_users)(names, of_site),
            known_arguments=addresses.known_arguments(
                {key: known for app in apps for key, known in app.arguments.items()}
            ),
            kept_groups=addresses.KEPT_GROUPS,
            credentials=addresses.credentials(),
            kinds=caching.kinds(plan.settings.visitors),
            unused=caching.UNUSED,
            # The release's own nodes (for the pre-warm), and operators through the bastion.
            unlimited=(release.subnet.cidr, plan.bastion.subnet.cidr),
            limits=source.limits(ProxyLimits),
            session_cookie=balancing.session_cookie(release),
            web_port=firewall.WEB_PORT,
            bypass_port=firewall.CACHE_BYPASS_PORT,
            serves_omero=bool(OMERO_ROLES.intersection(node.roles)),
            omero_servers=balancing.omero(release),
            omero_shares=balancing.shares(release),
            omero_name=service_name(release),
            omero_ssl_port=firewall.OMERO_SSL_PORT,
            omero_server_ports=programs.server_ports(release.nodes),
            omero_websocket_port=firewall.OMERO_WEBSOCKET_PORT,
            uploads=release.with_role(Role.UPLOAD),
            upload_port=firewall.UPLOAD_PORT,
            locations=locations(release),
            answered_first=answered_first(release),
            site=plan.settings.site,
            site_texts=_site_texts(plan.settings.site),
            site_locations=plan.settings.site.locations,
        )


def _of_site(apps: Iterable[App]) -> tuple[Address, ...]:
    return tuple(address for app in apps for address in app.addresses)


def _site_texts(site: PublicSite) -> tuple[SiteText, ...]:
    return (SiteText("robots.txt", site.robots.rstrip("\n") + "\n"),) if site.robots else ()


def _own_certificate(plan: Plan) -> Certificate | None:
    """Return the operator's own certificate for visitors."""
    own = plan.settings.certificate
    if own is None:
        return None
    return Certificate(own.key.get_secret_value().strip() + "\n", own.certificate.strip() + "\n")
