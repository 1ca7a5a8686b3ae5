"""Certificates from seeds: the same seed, names and dates always give the same bytes."""

import hashlib
import ipaddress
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SEED_BYTES = 48
"""For a 32-byte order: the bias of the remainder is below 2^-128 (FIPS 186-4, B.4.1)."""

SERIAL_BYTES = 19
"""RFC 5280, 4.1.2.2: a serial number is positive and has at most 20 octets."""

# Order of the P-256 group (FIPS 186-4, D.1.2.3): a private key is a number from 1 to this less one.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

LONGEST_COMMON_NAME = 64
"""Characters of a subject (RFC 5280, A.1: ub-common-name)."""


@dataclass(frozen=True)
class Certificate:
    """PEM texts of a private key and its certificate."""

    key: str = field(repr=False)
    certificate: str


@dataclass(frozen=True)
class Signed:
    """Input of a certificate beside names: the seed of its key, its serial number and its validity."""

    seed: bytes = field(repr=False)
    serial: bytes
    begin: datetime
    end: datetime


def authority(name: str, signed: Signed, host: str | None = None) -> Certificate:
    """Create a self-signed certificate authority. With `host`, its certificates are valid only for that host."""
    key = _p256(signed.seed)
    subject = _common_name(name)
    builder = (
        _builder(signed, subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if host:
        builder = builder.add_extension(_only(host), critical=True)
    return _sign(builder, key, key)


def server(hosts: tuple[str, ...], signed: Signed, issuer: Certificate) -> Certificate:
    """Create a server's certificate for `hosts` (DNS names or IPv4 addresses; the first is its subject)."""
    key = _p256(signed.seed)
    issuer_key = cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(issuer.key.encode(), None))
    issuer_name = x509.load_pem_x509_certificate(issuer.certificate.encode()).subject
    builder = (
        _builder(signed, _common_name(hosts[0]), issuer_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return _sign(builder, key, issuer_key)


def _builder(
    signed: Signed, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(signed.serial, "big") | 1)
        .not_valid_before(signed.begin)
        .not_valid_after(signed.end)
    )


def _p256(seed: bytes) -> ec.EllipticCurvePrivateKey:
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
        # Clients verify the alternative names; a subject must only differ from others.
        text = f"{text[:47]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.IPv4Address(host))
    except ValueError:
        return x509.DNSName(host)


def _only(host: str) -> x509.NameConstraints:
    """Allow `host` and what is under it. A kind of name without an entry would be unrestricted (RFC 5280, 4.2.1.10)."""
    # Also if the host is an address: OpenSSL then treats the subject as a DNS name.
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
