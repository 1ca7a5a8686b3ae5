"""The kinds of values in a stack file, and what every section of it has in common."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from model.addressing import LAST_SERVICE_HOST

SEALED = "(encrypted in the stack file, opened by the engine alone)"
"""Stands for a secret's value where the engine was not asked; as long as a stack secret must be."""


@dataclass(frozen=True)
class Shape:
    """Text that matches `pattern` as a whole; the message says what that means, the JSON schema has both."""

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Checks the text after it was found to be one."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What editors check and show."""
        return {**handler(schema), "pattern": f"^{self.pattern}$", "description": f"Must be {self.meaning}"}

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            msg = f"must be {self.meaning}"
            raise ValueError(msg)
        return text


def _release_network(cidr: IPv4Network) -> IPv4Network:
    if cidr.num_addresses <= LAST_SERVICE_HOST:
        msg = "must be a /24 or larger: addresses are given by role, from .10 to .250"
        raise ValueError(msg)
    return cidr


# No dash: IDR's /etc/hosts aliases strip "<release>-" up to the first one (research part A5).
ReleaseName = Annotated[str, Shape("[a-z][a-z0-9]{0,19}", "lower-case letters and digits, a letter first, at most 20")]
NodeName = Annotated[str, Shape("[a-z][a-z0-9]{0,29}", "lower-case letters and digits, a letter first, at most 30")]
GroupName = Annotated[str, Shape("[a-z][a-z0-9-]{0,39}", "lower-case letters, digits and dashes, a letter first")]
Name = Annotated[str, Shape("[^\\s].{0,254}", "the name of a thing in the cloud")]
HostName = Annotated[
    str, Shape("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "a host name in lower case, or an IPv4 address")
]
HttpsUrl = Annotated[
    str,
    Shape(
        "https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]*)*", "an address as in https://acme.example.org/directory"
    ),
]
EmailAddress = Annotated[str, Shape("[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", "an address as in operators@example.org")]
Sha256 = Annotated[str, Shape("[0-9a-f]{64}", "the 64 hexadecimal digits of a SHA-256 sum")]
MountPath = Annotated[str, Shape("(/[A-Za-z0-9._-]+)+", "an absolute path")]
NfsSource = Annotated[
    str, Shape("[A-Za-z0-9.-]+:(/[A-Za-z0-9._-]+)+", "a server and a path, as in nfs.example.org:/idr")
]
NfsOptions = Annotated[
    str, Shape("[a-z0-9]+(=[a-z0-9.]+)?(,[a-z0-9]+(=[a-z0-9.]+)?)*", "mount options, as in ro,nfsvers=4.2")
]
PublicPassword = Annotated[
    str,
    Shape(
        "[A-Za-z0-9][A-Za-z0-9._~-]{0,63}",
        "letters, digits, dots, dashes, underscores and tildes, at most 64, a letter or digit first",
    ),
]
"""Nothing that a shell, OMERO's configuration, nginx or JSON would read in another way."""
PublicKey = Annotated[
    str,
    Shape(
        "(ssh-ed25519|ssh-rsa|ecdsa-sha2-\\S+|sk-\\S+) [A-Za-z0-9+/=]+( .*)?",
        "one line of a public key file, as in ~/.ssh/id_ed25519.pub",
    ),
]
ReleaseNetwork = Annotated[IPv4Network, AfterValidator(_release_network)]


class Section(BaseModel):
    """A part of a stack file: written in camelCase, nothing in it that is not a setting, never changed."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    def problems(self) -> Iterator[str]:
        """What contradicts itself here, one text each; each kind of section has its own."""
        yield from ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if found := list(self.problems()):
            # All at once; `model.reading` gives each its line.
            raise ValueError("\n".join(found))
        return self
