"""OpenSSH key files from seeds: the same seed always gives the same bytes."""

import base64
import hashlib
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class SshKey:
    """An Ed25519 key: OpenSSH private file and one-line public key."""

    private: str = field(repr=False)
    public: str


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def ed25519(seed: bytes) -> SshKey:
    """Return the key of a seed of 32 bytes.

    The file is written out here because the `cryptography` package puts random check bytes into each.
    """
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    kind = b"ssh-ed25519"
    public_blob = _string(kind) + _string(public)
    check = hashlib.sha256(b"check" + seed).digest()[:4]
    private = check * 2 + public_blob + _string(seed + public) + _string(b"")
    private += bytes(range(1, 1 + -len(private) % 8))
    blob = b"openssh-key-v1\0" + _string(b"none") * 2 + _string(b"") + struct.pack(">I", 1)
    blob += _string(public_blob) + _string(private)
    body = base64.encodebytes(blob).decode()
    return SshKey(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}-----END OPENSSH PRIVATE KEY-----\n",
        f"{kind.decode()} {base64.b64encode(public_blob).decode()}",
    )
