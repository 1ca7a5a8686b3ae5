"""The certificate that visitors see: given by the operator, or asked for by ACME; else the stack's own authority's."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, DNSName, SubjectAlternativeName
from pydantic import Field, SecretStr

from model.field_types import SEALED, EmailAddress, HttpsUrl, Section

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


class PublicCertificate(Section):
    """The certificate that visitors see, as PEM; the stack's own authority signs one where it is absent."""

    certificate: str = Field(description="The certificate and those that lead to its authority")
    key: SecretStr = Field(description="Its private key, without a passphrase")

    def problems(self) -> Iterator[str]:
        """What is no PEM text, or does not belong together. Never says what it read."""
        if self.certificate == SEALED:
            return
        try:
            public = self._own().public_key()
        except ValueError:
            yield "certificate: is not a certificate in PEM"
            return
        if self.key.get_secret_value() == SEALED:
            return
        try:
            key = load_pem_private_key(self.key.get_secret_value().encode(), password=None)
        except (ValueError, TypeError):  # TypeError: it has a passphrase
            yield "key: is not a private key in PEM without a passphrase"
            return
        if key.public_key() != public:
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


class Acme(Section):
    """An authority that signs the certificate by ACME (RFC 8555), asked by the live release's proxy over port 80."""

    directory: HttpsUrl = Field(LETS_ENCRYPT, description="Where the authority is asked")
    email: EmailAddress | None = Field(None, description="Where it writes when something is wrong")
    authority: str | None = Field(None, description="PEM of who signed the directory's own certificate, if not public")
