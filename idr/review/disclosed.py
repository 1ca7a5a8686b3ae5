"""The disclosure (components/disclosure.py) in a preview: plain text about the secret bundles."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from model.visitors import Visitors

WORLD = "world"
STORAGE = "storage"


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True)


class Flow(_Model):
    """A flow: source, target and port; `users` are the only accounts of the source, if any are named."""

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
        """Whether one end is outside the stack."""
        return any(end in {WORLD, STORAGE} or "/" in end for end in (self.source, self.target))


POWERS = {
    "jump": "can pass connections on through the bastion",
    "curator": "can log in on read-write OMERO nodes and import there",
    "operator": "can log in as root on every node",
}
"""The permissions of each role, the least first."""


@dataclass(frozen=True, order=True)
class Login:
    """A login: the person, the key (without its comment), and the role."""

    who: str
    key: str
    role: str = "operator"

    def __str__(self) -> str:
        return self.who

    @property
    def rank(self) -> int:
        """The rank of its role. An unknown role, of another version of this program, has the highest."""
        return [*POWERS].index(self.role) if self.role in POWERS else len(POWERS)

    @property
    def power(self) -> str:
        """The role's permissions in words."""
        return POWERS.get(self.role, f"can do what the unknown role '{self.role}' may")


class Named(_Model):
    """A person with an account of their own."""

    name: str
    role: str
    keys: tuple[str, ...]


class Renewal(_Model):
    """A renewal of the stack secret: the public deploy keys of the former and the present one."""

    former: str
    present: str


class Disclosed(_Model):
    """The disclosure of one state of a stack: logins, flows, checks, files by digest.

    `omero` has digests of OMERO's configuration and of jars (`jar lib/...`), by key and node. `cloud` has the settings
    of the cloud's address, `sources` the URLs of files and redirects; None if an earlier version did not disclose them.
    `rotations` has the numbers of renewed secrets; the default is 1.
    `operators` are public keys of the account `idr`, `people` have accounts of their own.
    `renewal` is set while two stack secrets are trusted. `visitors` are everybody, or users who log in.
    """

    operators: tuple[str, ...] = ()
    people: tuple[Named, ...] = ()
    key_pair: str = ""
    flows: tuple[Flow, ...] = ()
    checks: tuple[str, ...] = ()
    files: dict[str, str] = {}
    omero: dict[str, dict[str, str]] = {}
    cloud: dict[str, str] | None = None
    sources: dict[str, str] | None = None
    rotations: dict[str, int] = {}
    renewal: Renewal | None = None
    visitors: Visitors = Visitors.PUBLIC

    @property
    def logins(self) -> frozenset[Login]:
        """Return all logins."""
        pair = f"the cloud's key pair {self.key_pair}"
        return frozenset(
            {
                *(Login(person(key), _without_comment(key)) for key in self.operators),
                *(
                    Login(f"{one.name}, {one.role} ({fingerprint(key)})", _without_comment(key), one.role)
                    for one in self.people
                    for key in one.keys
                ),
                *([Login(pair, pair)] if self.key_pair else []),
            }
        )


def person(key: str) -> str:
    """Return the comment of a public key, which is not verified, and its fingerprint."""
    shown = fingerprint(key)
    comment = [*key.split(maxsplit=2), "", "", ""][2].strip()
    return key if shown == key else f"{comment or 'a key without a name'} ({shown})"


def fingerprint(key: str) -> str:
    """Return the fingerprint of a public key like `ssh-keygen -l`; the text itself if it is no key."""
    blob = [*key.split(maxsplit=2), "", ""][1]
    try:
        digest = hashlib.sha256(base64.b64decode(blob, validate=True)).digest()
    except binascii.Error:
        return key
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _without_comment(key: str) -> str:
    return " ".join(key.split(maxsplit=2)[:2])
