"""Everything secret, derived from the one stack secret: passwords and keys by name and rotation number.

HKDF (RFC 5869) with the name as `info`: the same stack file always gives the same values, so the plan stays pure,
host keys are known before a machine exists, and to rotate one is to raise its number in the stack file.
"""

import base64
import hashlib
import ipaddress
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from model.plan import Plan
    from model.settings import Settings

# Order of the P-256 group (FIPS 186-4, D.1.2.3): a private key is a number from 1 to this less one.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# Fixed, so that a certificate is the same bytes at every run. Rotation, not expiry, ends an internal certificate.
VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2046, 1, 1, tzinfo=UTC)

# What browsers take (CA/Browser Forum, Baseline Requirements 6.3.2 before 2026-03-15).
VISITORS_TIME = timedelta(days=397)
JULY = 7

LONGEST_COMMON_NAME = 64
"""Characters of a subject (RFC 5280, A.1: ub-common-name)."""

PASSWORDS = (
    "database/omero",
    "database/omeroreadonly",
    "omero/root",
    "redis",
    "redis/operator",
)
"""What each release has a password for."""


@dataclass(frozen=True)
class SshKey:
    """An Ed25519 key: OpenSSH private file and one-line public key."""

    private: str = field(repr=False)
    public: str


@dataclass(frozen=True)
class Certificate:
    """PEM texts of a private key and its certificate."""

    key: str = field(repr=False)
    certificate: str


@dataclass(frozen=True)
class Secrets:
    """Derives what a stack needs to keep secret. `rotations` maps a name to its number; 1 where absent.

    `now` is the time of the update: certificates that visitors see begin with its half of the year. `previous` is there
    while a new stack secret replaces a former one: nodes use what follows from the new one, and accept both.
    """

    stack: str
    stack_secret: str = field(repr=False)
    rotations: dict[str, int] = field(default_factory=dict)
    now: datetime = field(default_factory=partial(datetime.now, UTC))
    previous: "Secrets | None" = None

    def derive(self, name: str, length: int, rotation: int | None = None) -> bytes:
        """`length` bytes for `name`."""
        number = rotation if rotation is not None else self.rotations.get(name, 1)
        info = f"idr/{self.stack}/{name}/{number}".encode()
        return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(self.stack_secret.encode())

    def password(self, name: str) -> str:
        """32 characters of letters, digits, `-` and `_`: 192 bits, nothing any configuration syntax must quote."""
        return base64.urlsafe_b64encode(self.derive(f"password/{name}", 24)).decode()

    def accepted_passwords(self, name: str) -> tuple[str, ...]:
        """The password, then the former stack secret's: a service that can take both serves nodes that still use it."""
        former = self.previous.accepted_passwords(name) if self.previous else ()
        return (self.password(name), *former)

    def ssh_key(self, name: str, rotation: int | None = None) -> SshKey:
        """An Ed25519 key for `name`."""
        return _ssh_key(self.derive(f"ssh/{name}", 32, rotation))

    def deploy_keys(self) -> tuple[SshKey, ...]:
        """The deploy keys that nodes trust: first the one that configures them, last the next one of this stack secret.

        Nodes trust the next one so that rotating locks nobody out. While the stack secret is renewed, the former one's
        key configures them: every node trusts it, whether it was changed already or not.
        """
        current = self.rotations.get("ssh/deploy", 1)
        own = (self.ssh_key("deploy", current), self.ssh_key("deploy", current + 1))
        return (self.previous.deploy_keys()[0], *own) if self.previous else own

    def host_keys(self, node: str) -> tuple[str, ...]:
        """The public ssh host keys that a node may have: its own, then the one that the former stack secret gave it."""
        former = self.previous.host_keys(node) if self.previous else ()
        return (self.ssh_key(f"host/{node}").public, *former)

    @property
    def authorities(self) -> str:
        """The certificates of the authorities that nodes trust, as PEM: the stack's own, then the former one."""
        return self.authority.certificate + (self.previous.authorities if self.previous else "")

    def visitors_authorities(self, host: str) -> str:
        """The same authorities for the machines of visitors, as PEM: what they sign is valid there for `host` alone.

        Whoever steals the authority's key cannot pretend to be another site to a browser that trusts this one.
        """
        former = self.previous.visitors_authorities(host) if self.previous else ""
        return self._authority(f"ca/{host}", _only(host)).certificate + former

    @cached_property
    def authority(self) -> Certificate:
        """The stack's internal certificate authority."""
        return self._authority("ca")

    def _authority(self, serial: str, constraints: x509.NameConstraints | None = None) -> Certificate:
        key = _p256(self.derive("ca", 48))
        name = _common_name(f"IDR {self.stack} internal CA")
        builder = (
            self._builder(serial, name, name, key)
            .not_valid_before(VALID_FROM)
            .not_valid_after(VALID_UNTIL)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if constraints:
            builder = builder.add_extension(constraints, critical=True)
        return _sign(builder, key, key)

    def certificate(self, name: str, hosts: tuple[str, ...]) -> Certificate:
        """A server certificate for `hosts` (DNS names or IPv4 addresses; the first is its subject)."""
        return self._signing._server_certificate(name, hosts, f"tls/{name}/{','.join(hosts)}", VALID_FROM, VALID_UNTIL)

    def visitors_certificate(self, name: str, host: str) -> Certificate:
        """A proxy's certificate for the public name alone. An update renews it every half-year."""
        begin = datetime(self.now.year, 1 if self.now.month < JULY else JULY, 1, tzinfo=UTC)
        serial = f"tls/{name}/{host}/{begin:%Y-%m}"
        return self._signing._server_certificate(name, (host,), serial, begin, begin + VISITORS_TIME)

    @property
    def _signing(self) -> "Secrets":
        """The secrets whose authority signs: the former one's, while nodes that trust it alone may exist."""
        return self.previous or self

    def _server_certificate(
        self, name: str, hosts: tuple[str, ...], serial: str, begin: datetime, end: datetime
    ) -> Certificate:
        authority = x509.load_pem_x509_certificate(self.authority.certificate.encode())
        key = _p256(self.derive(f"tls/{name}", 48))
        issuer = _p256(self.derive("ca", 48))
        builder = (
            self._builder(serial, _common_name(hosts[0]), authority.subject, key)
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        )
        return _sign(builder, key, issuer)

    def _builder(
        self, name: str, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        # RFC 5280, 4.1.2.2: positive, at most 20 octets.
        serial = int.from_bytes(self.derive(f"serial/{name}", 19), "big") | 1
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(serial)
        )


def of_settings(settings: "Settings", stack: str, stack_secret: str) -> Secrets:
    """What `stack_secret` gives a stack with these settings."""
    rotations, former = dict(settings.rotations), settings.previous_stack_secret
    previous = Secrets(stack, former.get_secret_value(), rotations) if former else None
    return Secrets(stack, stack_secret, rotations, previous=previous)


def are_of(secrets: Secrets, known_hosts: str) -> bool:
    """Whether a stack's host keys, lines of a known_hosts file, follow from these secrets.

    One key is enough: others may have another rotation number by now. A stack without nodes is anybody's.
    """
    keys = dict(line.split(" ", 1) for line in known_hosts.splitlines())
    return not keys or any(key in secrets.host_keys(node) for node, key in keys.items())


def secret_names(plan: "Plan") -> frozenset[str]:
    """The name of every secret of a stack, as `rotations` may have it."""
    passwords = (f"password/{release.name}/{use}" for release in plan.releases for use in PASSWORDS)
    nodes = (f"{kind}/{node.name}" for node in plan.nodes for kind in ("ssh/host", "tls"))
    return frozenset({"ca", "ssh/deploy", *passwords, *nodes})


def _p256(seed: bytes) -> ec.EllipticCurvePrivateKey:
    # 48 bytes for a 32-byte order: the bias of the remainder is below 2^-128 (FIPS 186-4, B.4.1).
    return ec.derive_private_key(int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1, ec.SECP256R1())


def _sign(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey
) -> Certificate:
    signed = builder.sign(issuer, hashes.SHA256(), ecdsa_deterministic=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(private.decode(), signed.public_bytes(serialization.Encoding.PEM).decode())


def _common_name(text: str) -> x509.Name:
    if len(text) > LONGEST_COMMON_NAME:
        # Who verifies reads the alternative names; a subject must only differ from others.
        text = f"{text[:47]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.IPv4Address(host))
    except ValueError:
        return x509.DNSName(host)


def _only(host: str) -> x509.NameConstraints:
    """`host` and what is under it. A kind of name that is not listed would be unrestricted (RFC 5280, 4.2.1.10)."""
    # Also where the host is an address: OpenSSL then takes the subject for a DNS name.
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if isinstance(_general_name(host), x509.IPAddress):
        return x509.NameConstraints([*names, x509.IPAddress(ipaddress.IPv4Network(host))], None)
    everywhere = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0"))
    return x509.NameConstraints(names, [x509.IPAddress(network) for network in everywhere])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _ssh_string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _ssh_key(seed: bytes) -> SshKey:
    """An OpenSSH key file. Written out here because the `cryptography` package puts random check bytes into each."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    kind = b"ssh-ed25519"
    public_blob = _ssh_string(kind) + _ssh_string(public)
    check = hashlib.sha256(b"check" + seed).digest()[:4]
    private = check * 2 + public_blob + _ssh_string(seed + public) + _ssh_string(b"")
    private += bytes(range(1, 1 + -len(private) % 8))
    blob = b"openssh-key-v1\0" + _ssh_string(b"none") * 2 + _ssh_string(b"") + struct.pack(">I", 1)
    blob += _ssh_string(public_blob) + _ssh_string(private)
    body = base64.encodebytes(blob).decode()
    return SshKey(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}-----END OPENSSH PRIVATE KEY-----\n",
        f"{kind.decode()} {base64.b64encode(public_blob).decode()}",
    )
