"""The certificate for visitors: the operator's, one by ACME, or one of the stack's own authority."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    DNSName,
    ExtendedKeyUsage,
    IPAddress,
    KeyUsage,
    SubjectAlternativeName,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from pydantic import Field, SecretStr, model_validator

from model.field_types import SEALED, EmailAddress, HttpsUrl, Section
from model.ssh_keys import SMALLEST_RSA_BITS

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
PRIVATE = "PRIVATE KEY-----"
"""Part of the first line of every private key in PEM."""

CURVES_OF_BROWSERS = (SECP256R1, SECP384R1, SECP521R1)

SERVERS = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""Exceptions of `cryptography` for certificates that it cannot read."""


class PublicCertificate(Section):
    """The certificate for visitors, as PEM. Without it the stack's own authority signs one."""

    certificate: str = Field(description="The certificate and those that lead to its authority")
    key: SecretStr = Field(description="Its private key, without a passphrase")

    @model_validator(mode="before")
    @classmethod
    def _encrypted_texts(cls, value: Any) -> Any:
        return {"certificate": SEALED, "key": SEALED} if value == SEALED else value

    def problems(self) -> Iterator[str]:
        """Yield texts that are no PEM, cannot be used, or do not match. Messages never contain the texts."""
        if self.certificate == SEALED:
            return
        if PRIVATE in self.certificate:
            yield "certificate: holds a private key, which everybody could read: it belongs into `key` alone"
            return
        try:
            chain = x509.load_pem_x509_certificates(self.certificate.encode())
        except UNREADABLE:
            yield "certificate: is not a certificate in PEM"
            return
        if unreadable := list(_unreadable(chain)):
            yield from unreadable
            return
        yield from _chain_problems(chain)
        if self.key.get_secret_value() == SEALED:
            return
        try:
            key = load_pem_private_key(self.key.get_secret_value().encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a passphrase
            yield "key: is not a private key in PEM without a passphrase"
            return
        if key.public_key() != chain[0].public_key():
            yield "key: belongs to another certificate; the server's own must be the first in `certificate`"

    def names(self, host: str) -> bool:
        """Return whether it is valid for this name or address, or cannot be read here.

        A wildcard matches one label, and case is ignored (RFC 6125, 6.4).
        """
        if self.certificate == SEALED:
            return True
        try:
            names = self._own().extensions.get_extension_for_class(SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return False
        addresses = {str(address) for address in names.get_values_for_type(IPAddress)}
        hosts = {name.lower() for name in names.get_values_for_type(DNSName)}
        return host in addresses or bool({host, f"*.{host.partition('.')[2]}"} & hosts)

    def _own(self) -> Certificate:
        return x509.load_pem_x509_certificates(self.certificate.encode())[0]


def _which(number: int) -> str:
    return "" if number == 1 else f"the {number}. of the chain "


def _unreadable(chain: list[Certificate]) -> Iterator[str]:
    """Yield certificates with an unreadable part: `cryptography` parses each part when it is used."""
    for number, each in enumerate(chain, 1):
        try:
            _ = (each.public_key(), each.signature_hash_algorithm, each.extensions, each.subject, each.issuer)
        except UNREADABLE:
            yield f"certificate: {_which(number)}has a key or an extension of a kind that browsers cannot read"


def _weaknesses(each: Certificate) -> Iterator[str]:
    key = each.public_key()
    if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA_BITS:
        yield f"has an RSA key of {key.key_size} bits, which browsers refuse"
    elif not isinstance(key, RSAPublicKey) and not (
        isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, CURVES_OF_BROWSERS)
    ):
        yield "has a key of a kind that browsers refuse: make an RSA key, or one of the curve P-256"
    # Clients do not verify the signature of a root certificate, because they trust it.
    if isinstance(each.signature_hash_algorithm, MD5 | SHA1) and each.issuer != each.subject:
        yield f"is signed with {each.signature_hash_algorithm.name.upper()}, which browsers refuse"


def _purposes(own: Certificate) -> Iterator[str]:
    """Yield why it is no certificate for a web server (RFC 5280, 4.2.1)."""
    extensions = {extension.oid: extension.value for extension in own.extensions}
    purposes = extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    if isinstance(purposes, ExtendedKeyUsage) and not SERVERS.intersection(purposes):
        yield "is not for servers: its extended key usage has no serverAuth"
    usage = extensions.get(ExtensionOID.KEY_USAGE)
    if isinstance(usage, KeyUsage) and not usage.digital_signature:
        yield "cannot sign: its key usage has no digitalSignature, which TLS needs"
    constraints = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    # A self-signed certificate may be trusted directly.
    if isinstance(constraints, BasicConstraints) and constraints.ca and own.issuer != own.subject:
        yield "is an authority's; the server's own must be the first"


def _chain_problems(chain: list[Certificate]) -> Iterator[str]:
    now = datetime.now(UTC)
    yield from (f"certificate: {purpose}" for purpose in _purposes(chain[0]))
    for number, each in enumerate(chain, 1):
        which = _which(number)
        if each.not_valid_after_utc < now:
            yield f"certificate: {which}expired on {each.not_valid_after_utc:%Y-%m-%d}"
        if each.not_valid_before_utc > now:
            yield f"certificate: {which}is not valid before {each.not_valid_before_utc:%Y-%m-%d}"
        yield from (f"certificate: {which}{weakness}" for weakness in _weaknesses(each))
    for number, (each, signer) in enumerate(pairwise(chain), 2):
        if each.issuer != signer.subject:
            yield f"certificate: is in the wrong order: the {number}. of the chain did not sign the one before it"


class Acme(Section):
    """An ACME authority (RFC 8555) that signs the certificate. It connects to port 80 of the live release's proxy."""

    directory: HttpsUrl = Field(LETS_ENCRYPT, description="The address of the authority's directory")
    email: EmailAddress | None = Field(None, description="The authority sends warnings there")
    authority: str | None = Field(
        None, description="PEM of the authority that signed the directory's own certificate, if not public"
    )

    @property
    def is_public(self) -> bool:
        """Whether it is Let's Encrypt, which signs only names in public DNS."""
        return bool(re.match(r"https://acme[a-z0-9-]*\.api\.letsencrypt\.org/", self.directory))

    def problems(self) -> Iterator[str]:
        """Yield an invalid authority."""
        if self.authority in (None, SEALED):
            return
        if PRIVATE in str(self.authority):
            yield "authority: holds a private key, which everybody could read: take it out"
            return
        try:
            authorities = x509.load_pem_x509_certificates(str(self.authority).encode())
        except UNREADABLE:
            yield "authority: is not a certificate in PEM"
            return
        if all(each.not_valid_after_utc < datetime.now(UTC) for each in authorities):
            yield "authority: has expired"
