"""What the program says in plain text beside its secret bundles (components/disclosure.py), as a preview shows it."""

import base64
import binascii
import hashlib

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

WORLD = "world"
STORAGE = "storage"


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True)


class Flow(_Model):
    """From whom to whom, on which port; for these accounts of the source only, where `users` names some."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    port: str
    users: str = ""
    why: str = ""

    def __str__(self) -> str:
        users = f" for {self.users} alone" if self.users else ""
        return f"{self.port} from {self.source} to {self.target}{users}"

    @property
    def is_with_outside(self) -> bool:
        """Whether one end is no node of the stack."""
        return any(end in {WORLD, STORAGE} or "/" in end for end in (self.source, self.target))


class Renewal(_Model):
    """A renewal of the stack secret: the public deploy keys of the former and the present one."""

    former: str
    present: str


class Disclosed(_Model):
    """What the program says of one state of a stack: public keys, a key pair's name, flows, checks, files by digest.

    `omero` has digests of OMERO's own configuration, by key and node.
    `renewal` is there while two stack secrets are trusted.
    """

    operators: tuple[str, ...] = ()
    key_pair: str = ""
    flows: tuple[Flow, ...] = ()
    checks: tuple[str, ...] = ()
    files: dict[str, str] = {}
    omero: dict[str, dict[str, str]] = {}
    renewal: Renewal | None = None

    @property
    def people(self) -> frozenset[str]:
        """Everybody who may log in as root on every node."""
        pair = {f"the cloud's key pair {self.key_pair}"} if self.key_pair else set()
        return frozenset({person(key) for key in self.operators} | pair)


def person(key: str) -> str:
    """The comment of a public key, which anybody may write, and its fingerprint as `ssh-keygen -l` prints it."""
    _, blob, comment = [*key.split(maxsplit=2), "", "", ""][:3]
    try:
        digest = hashlib.sha256(base64.b64decode(blob, validate=True)).digest()
    except binascii.Error:
        return key
    return f"{comment.strip() or 'a key without a name'} (SHA256:{base64.b64encode(digest).decode().rstrip('=')})"
