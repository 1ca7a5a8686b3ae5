"""The disclosure (components/disclosure.py) as a preview shows it: plain text about the secret bundles."""

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


POWERS = {
    "jump": "can pass connections on through the bastion",
    "curator": "can log in on read-write OMERO nodes and import there",
    "operator": "can log in as root on every node",
}
"""What each role may do, the least first."""


@dataclass(frozen=True, order=True)
class Login:
    """A way to log in: whose it is, by which key (without its comment), and the role that it gives."""

    who: str
    key: str
    role: str = "operator"

    def __str__(self) -> str:
        return self.who

    @property
    def rank(self) -> int:
        """The rank of its role. A role that is unknown here, of another version of this program, has the highest."""
        return [*POWERS].index(self.role) if self.role in POWERS else len(POWERS)

    @property
    def power(self) -> str:
        """The role's permissions in words."""
        return POWERS.get(self.role, f"can do what the unknown role '{self.role}' may")


class Named(_Model):
    """Somebody with an account of their own."""

    name: str
    role: str
    keys: tuple[str, ...]


class Renewal(_Model):
    """A renewal of the stack secret: the public deploy keys of the former and the present one."""

    former: str
    present: str


class Disclosed(_Model):
    """What the program says of one state of a stack: who may log in, flows, checks, files by digest.

    `omero` has digests of OMERO's own configuration and of jars (`jar lib/...`), by key and node. `cloud` has the
    settings that say where the cloud is, `sources` where nodes fetch files and visitors are sent; None where an earlier
    program did not disclose them. `rotations` has the numbers of renewed secrets, which is 1 for the others.
    `operators` are public keys that open the account `idr`, `people` have accounts of their own.
    `renewal` is there while two stack secrets are trusted. `visitors` are everybody, or users who log in.
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
        """Every way to log in."""
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
    """The comment of a public key, which anybody may write, and its fingerprint."""
    shown = fingerprint(key)
    comment = [*key.split(maxsplit=2), "", "", ""][2].strip()
    return key if shown == key else f"{comment or 'a key without a name'} ({shown})"


def fingerprint(key: str) -> str:
    """The fingerprint of a public key as `ssh-keygen -l` prints it; the text itself where it is no key."""
    blob = [*key.split(maxsplit=2), "", ""][1]
    try:
        digest = hashlib.sha256(base64.b64decode(blob, validate=True)).digest()
    except binascii.Error:
        return key
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _without_comment(key: str) -> str:
    return " ".join(key.split(maxsplit=2)[:2])
