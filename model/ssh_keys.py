"""Public ssh keys: one line of a `.pub` file."""

import base64
import binascii
import struct

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

SMALLEST_RSA_BITS = 2048


def ssh_public_key(line: str) -> str:
    """Check that sshd would accept the line as a key, and that the key is strong. Raises ValueError."""
    kind, blob = line.split(" ", 2)[:2]
    if _kind(blob) != kind:
        msg = "must be one line of a public key file, whole: what follows the kind of key does not fit it"
        raise ValueError(msg)
    if kind.startswith("sk-"):  # a hardware key; `cryptography` may not know them
        return line
    try:
        key = load_ssh_public_key(f"{kind} {blob}".encode())
    except (ValueError, UnsupportedAlgorithm):
        msg = f"must be one line of a public key file, whole: this is no key of the kind {kind}"
        raise ValueError(msg) from None
    if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA_BITS:
        msg = f"must be a stronger key: this RSA key has {key.key_size} bits, less than {SMALLEST_RSA_BITS}"
        raise ValueError(msg)
    return line


def _kind(blob: str) -> str | None:
    """Return the kind in the key's data (RFC 4253, 6.6)."""
    try:
        data = base64.b64decode(blob, validate=True)
        (length,) = struct.unpack(">I", data[:4])
        return data[4 : 4 + length].decode()
    except (binascii.Error, struct.error, UnicodeDecodeError):
        return None
