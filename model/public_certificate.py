"""The certificate that visitors see: given by the operator, or asked for by ACME; else the stack's own authority's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, DNSName, SubjectAlternativeName
from pydantic import Field, SecretStr, model_validator

from model.field_types import SEALED, EmailAddress, HttpsUrl, Section
from model.ssh_keys import SMALLEST_RSA_BITS

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
PRIVATE = "PRIVATE KEY-----"
"""In the first line of every private key in PEM."""


class PublicCertificate(Section):
    """The certificate that visitors see, as PEM; the stack's own authority signs one where it is absent."""

    certificate: str = Field(description="The certificate and those that lead to its authority")
    key: SecretStr = Field(description="Its private key, without a passphrase")

    @model_validator(mode="before")
    @classmethod
    def _encrypted_whole(cls, value: Any) -> Any:
        return {"certificate": SEALED, "key": SEALED} if value == SEALED else value

    def problems(self) -> Iterator[str]:
        """What is no PEM text, cannot be used, or does not belong together. Never says what it read."""
        if self.certificate == SEALED:
            return
        if PRIVATE in self.certificate:
            yield "certificate: holds a private key, which everybody could read: it belongs into `key` alone"
            return
        try:
            chain = x509.load_pem_x509_certificates(self.certificate.encode())
        except ValueError:
            yield "certificate: is not a certificate in PEM"
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
        """Whether it is for this name, or cannot be read here; a wildcard stands for one label (RFC 6125, 6.4.3)."""
        if self.certificate == SEALED:
            return True
        try:
            names = self._own().extensions.get_extension_for_class(SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return False
        return bool({host, f"*.{host.partition('.')[2]}"}.intersection(names.get_values_for_type(DNSName)))

    def _own(self) -> Certificate:
        return x509.load_pem_x509_certificates(self.certificate.encode())[0]


def _chain_problems(chain: list[Certificate]) -> Iterator[str]:
    now = datetime.now(UTC)
    for number, each in enumerate(chain, 1):
        which = "" if number == 1 else f"the {number}. of the chain "
        if each.not_valid_after_utc < now:
            yield f"certificate: {which}expired on {each.not_valid_after_utc:%Y-%m-%d}"
        if each.not_valid_before_utc > now:
            yield f"certificate: {which}is not valid before {each.not_valid_before_utc:%Y-%m-%d}"
        key = each.public_key()
        if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA_BITS:
            yield f"certificate: {which}has an RSA key of {key.key_size} bits, which browsers refuse"
    for number, (each, signer) in enumerate(pairwise(chain), 2):
        if each.issuer != signer.subject:
            yield f"certificate: is in the wrong order: the {number}. of the chain did not sign the one before it"


class Acme(Section):
    """An authority that signs the certificate by ACME (RFC 8555), asked by the live release's proxy over port 80."""

    directory: HttpsUrl = Field(LETS_ENCRYPT, description="Where the authority is asked")
    email: EmailAddress | None = Field(None, description="Where it writes when something is wrong")
    authority: str | None = Field(None, description="PEM of who signed the directory's own certificate, if not public")

    def problems(self) -> Iterator[str]:
        """An authority that is none."""
        if self.authority in (None, SEALED):
            return
        if PRIVATE in str(self.authority):
            yield "authority: holds a private key, which everybody could read: take it out"
            return
        try:
            x509.load_pem_x509_certificates(str(self.authority).encode())
        except ValueError:
            yield "authority: is not a certificate in PEM"
