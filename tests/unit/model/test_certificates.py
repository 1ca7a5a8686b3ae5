"""Certificates for visitors that no browser accepts, or that no program reads: each is refused with its reason."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from model.field_types import SEALED
from model.public_certificate import _weaknesses
from tests.unit.model.mistakes import HOST, accepted, given_with, only


def certificate(
    *, days: tuple[int, int] = (-1, 30), key: Any = None, issuer: str = "CA", more: Sequence[x509.ExtensionType] = ()
) -> dict[str, str]:
    """Make a certificate for HOST, valid for these days from now, with its key and more extensions."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return {
        "certificate": builder.sign(key, hashes.SHA256()).public_bytes(pem).decode(),
        "key": key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode(),
    }


def usage(*, signs: bool, enciphers: bool = True) -> x509.KeyUsage:
    """Make a key usage with or without the one that TLS 1.3 needs."""
    return x509.KeyUsage(signs, False, enciphers, False, False, False, False, False, False)


CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)


def doubled(given: dict[str, str]) -> dict[str, str]:
    return {**given, "certificate": given["certificate"] + certificate()["certificate"]}


def with_its_key(given: dict[str, str]) -> dict[str, str]:
    return {**given, "certificate": given["certificate"] + given["key"]}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (certificate(days=(-30, -1)), "expired on"),
        (certificate(days=(1, 30)), "is not valid before"),
        (certificate(key=rsa.generate_private_key(65537, 1024)), "an RSA key of 1024 bits"),  # noqa: S505  # refused
        (with_its_key(certificate()), "holds a private key"),
        (certificate(more=[x509.ExtendedKeyUsage([CLIENT])]), "is not for servers"),
        (certificate(more=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])]), "is not for servers"),
        (certificate(more=[usage(signs=False)]), "has no digitalSignature"),
        (certificate(more=[AUTHORITY]), "is an authority's"),
        (doubled(certificate()), "in the wrong order: the 2. of the chain did not sign the one before it"),
    ],
)
def test_a_certificate_is_one_that_browsers_take(given: dict[str, str], reason: str) -> None:
    message = only(lambda v: v.update(hostName=HOST, certificate=given))
    assert message.startswith("idr:certificate: certificate: ")
    assert reason in message


@pytest.mark.parametrize(
    "more",
    [
        [x509.ExtendedKeyUsage([CLIENT, SERVER]), usage(signs=True)],
        [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])],
        [x509.BasicConstraints(ca=False, path_length=None)],
    ],
)
def test_a_certificate_of_a_servers_is_taken(more: list[x509.ExtensionType]) -> None:
    accepted(hostName=HOST, certificate=certificate(more=more))


def test_one_that_signed_itself_may_be_an_authority_too() -> None:
    accepted(hostName=HOST, certificate=certificate(issuer=HOST, more=[AUTHORITY]))


def of_openssl(folder: Path, key: str, names: str, *more: str) -> dict[str, str]:
    """Make a certificate that `cryptography` refuses to make, with its key."""
    words = ["req", "-x509", "-newkey", *key.split(), "-nodes", "-days", "30", "-subj", "/CN=x", *more]
    files = ["-keyout", f"{folder}/key", "-out", f"{folder}/certificate"]
    subprocess.run(["openssl", *words, "-addext", f"subjectAltName={names}", *files], check=True, capture_output=True)
    return {name: (folder / name).read_text() for name in ("certificate", "key")}


@pytest.mark.parametrize(
    ("key", "names", "reason"),
    [
        (
            "ec -pkeyopt ec_paramgen_curve:secp112r1",
            f"DNS:{HOST}",
            "has a key or an extension of a kind that browsers cannot read",
        ),
        (
            "ec -pkeyopt ec_paramgen_curve:prime239v1",
            f"DNS:{HOST}",
            "has a key or an extension of a kind that browsers cannot read",
        ),
        ("rsa:2048", "DER:30038701FF", "has a key or an extension of a kind that browsers cannot read"),
        ("ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", f"DNS:{HOST}", "has a key of a kind that browsers refuse"),
        ("ed25519", f"DNS:{HOST}", "has a key of a kind that browsers refuse"),
        ("ed448", f"DNS:{HOST}", "has a key of a kind that browsers refuse"),
    ],
)
def test_a_certificate_of_an_odd_kind_is_refused(tmp_path: Path, key: str, names: str, reason: str) -> None:
    given = of_openssl(tmp_path, key, names)
    assert only(lambda v: v.update(hostName=HOST, certificate=given)).startswith(
        f"idr:certificate: certificate: {reason}"
    )


def test_a_certificate_signed_with_sha1_is_refused() -> None:
    # `cryptography` makes no such certificates any more.
    signed = Mock(spec=x509.Certificate, signature_hash_algorithm=hashes.SHA1(), issuer="a", subject="b")  # noqa: S303  # refused
    signed.public_key.return_value = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert list(_weaknesses(signed)) == ["is signed with SHA1, which browsers refuse"]
    signed.subject = "a"
    assert list(_weaknesses(signed)) == []


@pytest.mark.parametrize(
    ("host", "names"), [("192.0.2.7", "IP:192.0.2.7"), (HOST, "DNS:IDR.Example.org"), (HOST, "DNS:*.EXAMPLE.org")]
)
def test_a_certificate_is_for_addresses_too_and_in_any_case(tmp_path: Path, host: str, names: str) -> None:
    accepted(hostName=host, certificate=of_openssl(tmp_path, "rsa:2048", names))


def test_a_certificate_may_be_encrypted_as_a_whole() -> None:
    accepted(hostName=HOST, certificate=certificate())
    accepted(hostName=HOST, certificate=SEALED)


def test_an_acme_authority_is_a_certificate_alone() -> None:
    for authority in ("PEM", certificate()["key"]):
        message = given_with(hostName=HOST, acme={"authority": authority})
        assert message.startswith("idr:acme: authority: ")
    accepted(hostName=HOST, acme={"authority": certificate()["certificate"]})
    expired = certificate(days=(-30, -1))["certificate"]
    assert given_with(hostName=HOST, acme={"authority": expired}) == "idr:acme: authority: has expired"
    accepted(hostName=HOST, acme={"authority": expired + certificate()["certificate"]})
