"""All secrets, derived from the one stack secret: passwords and keys by name and rotation number.

HKDF (RFC 5869) with the name as `info`: the same stack file always gives the same values, so the plan stays pure,
host keys are known before a server exists, and raising the number in the stack file rotates a secret.
"""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from model import certificates, openssh
from model.certificates import Certificate, Signed
from model.openssh import SshKey

if TYPE_CHECKING:
    from model.plan import Plan, Scope
    from model.settings import Settings

# Fixed, so that a certificate is the same bytes at every run. Rotation, not expiry, ends an internal certificate.
VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2046, 1, 1, tzinfo=UTC)

# What browsers accept (CA/Browser Forum, Baseline Requirements 6.3.2 before 2026-03-15).
VISITORS_TIME = timedelta(days=397)
JULY = 7

PASSWORDS = (
    "database/omero",
    "database/omeroreadonly",
    "omero/root",
    "redis",
    "redis/operator",
)
"""The names of each release's passwords."""


@dataclass(frozen=True)
class Secrets:
    """Derives the secrets of a stack. `rotations` maps a name to its number; the default is 1.

    `now` is the time of the update: certificates for visitors begin with its half of the year. `previous` is set while
    a new stack secret replaces a former one: nodes use the new secrets, and accept both.
    """

    stack: str
    stack_secret: str = field(repr=False)
    rotations: dict[str, int] = field(default_factory=dict)
    now: datetime = field(default_factory=partial(datetime.now, UTC))
    previous: "Secrets | None" = None

    def derive(self, name: str, length: int, rotation: int | None = None) -> bytes:
        """Return `length` bytes for `name`."""
        number = rotation if rotation is not None else self.rotations.get(name, 1)
        info = f"idr/{self.stack}/{name}/{number}".encode()
        return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(self.stack_secret.encode())

    def password(self, name: str) -> str:
        """Return 32 letters, digits, `-` and `_`: 192 bits, without characters that a configuration must quote."""
        return base64.urlsafe_b64encode(self.derive(f"password/{name}", 24)).decode()

    def accepted_passwords(self, name: str) -> tuple[str, ...]:
        """Return the password and that of a former stack secret: services accept both while nodes may use either."""
        former = self.previous.accepted_passwords(name) if self.previous else ()
        return (self.password(name), *former)

    def ssh_key(self, name: str, rotation: int | None = None) -> SshKey:
        """Return an Ed25519 key for `name`."""
        return openssh.ed25519(self.derive(f"ssh/{name}", 32, rotation))

    def deploy_keys(self) -> tuple[SshKey, ...]:
        """Return the deploy keys that nodes trust: first the one that configures them, last the next one.

        Nodes trust the next one so that a rotation locks nobody out. While the stack secret is renewed, the key of the
        former one configures them, because all nodes trust it, changed or not.
        """
        current = self.rotations.get("ssh/deploy", 1)
        own = (self.ssh_key("deploy", current), self.ssh_key("deploy", current + 1))
        return (self.previous.deploy_keys()[0], *own) if self.previous else own

    def host_keys(self, node: str) -> tuple[str, ...]:
        """Return the public ssh host keys that a node may have: its own, then that of the former stack secret."""
        former = self.previous.host_keys(node) if self.previous else ()
        return (self.ssh_key(f"host/{node}").public, *former)

    @property
    def authorities(self) -> str:
        """Return the authorities that nodes trust, as PEM: the stack's own, then the former one."""
        return self.authority.certificate + (self.previous.authorities if self.previous else "")

    def visitors_authorities(self, host: str) -> str:
        """Return the authorities for visitors' machines, as PEM: their certificates are valid only for `host`.

        So a stolen key of the authority is worthless for other sites, also in browsers that trust the authority.
        """
        former = self.previous.visitors_authorities(host) if self.previous else ""
        return self._authority(f"ca/{host}", host).certificate + former

    @cached_property
    def authority(self) -> Certificate:
        """The stack's internal certificate authority."""
        return self._authority("ca")

    def _authority(self, serial: str, host: str | None = None) -> Certificate:
        signed = self._signed("ca", serial, VALID_FROM, VALID_UNTIL)
        return certificates.authority(f"IDR {self.stack} internal CA", signed, host)

    def certificate(self, name: str, hosts: tuple[str, ...]) -> Certificate:
        """Return a server certificate for `hosts` (DNS names or IPv4 addresses; the first is its subject)."""
        return self._server_certificate(name, hosts, f"tls/{name}/{','.join(hosts)}", VALID_FROM, VALID_UNTIL)

    def visitors_certificate(self, name: str, host: str) -> Certificate:
        """Return a proxy's certificate for the public name only. An update renews it every half-year."""
        begin = datetime(self.now.year, 1 if self.now.month < JULY else JULY, 1, tzinfo=UTC)
        serial = f"tls/{name}/{host}/{begin:%Y-%m}"
        return self._server_certificate(name, (host,), serial, begin, begin + VISITORS_TIME)

    def _server_certificate(
        self, name: str, hosts: tuple[str, ...], serial: str, begin: datetime, end: datetime
    ) -> Certificate:
        # The authority of the former secrets signs, while some nodes may trust only that one.
        signing = self.previous or self
        return certificates.server(hosts, signing._signed(f"tls/{name}", serial, begin, end), signing.authority)

    def _signed(self, key: str, serial: str, begin: datetime, end: datetime) -> Signed:
        return Signed(
            self.derive(key, certificates.SEED_BYTES),
            self.derive(f"serial/{serial}", certificates.SERIAL_BYTES),
            begin,
            end,
        )


def of_settings(settings: "Settings", stack: str, stack_secret: str) -> Secrets:
    """Derive the secrets of a stack with these settings from `stack_secret`."""
    rotations, former = dict(settings.rotations), settings.previous_stack_secret
    previous = Secrets(stack, former.get_secret_value(), rotations) if former else None
    return Secrets(stack, stack_secret, rotations, previous=previous)


def are_of(secrets: Secrets, known_hosts: str) -> bool:
    """Return whether a stack's host keys (lines of a known_hosts file) are derived from these secrets.

    One key is enough: others may have another rotation number now. True for a stack without nodes.
    """
    keys = dict(line.split(" ", 1) for line in known_hosts.splitlines())
    return not keys or any(key in secrets.host_keys(node) for node, key in keys.items())


def secret_names(plan: "Plan") -> frozenset[str]:
    """Return the names of a stack's secrets, as used in `rotations`."""
    passwords = (f"password/{release.name}/{use}" for release in plan.releases for use in PASSWORDS)
    of_site = (f"password/{release.name}/{use}" for release in plan.releases for use in passwords_of_site(release))
    nodes = (f"{kind}/{node.name}" for node in plan.nodes for kind in ("ssh/host", "tls"))
    return frozenset({"ca", "ssh/deploy", *passwords, *of_site, *nodes})


def passwords_of_site(release: "Scope") -> tuple[str, ...]:
    """Return the names of the passwords of a release's site roles, each as `role/name`."""
    return tuple(f"{role}/{name}" for role in release.site_roles() for name in role.description.passwords)
