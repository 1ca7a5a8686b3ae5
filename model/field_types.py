"""The kinds of values in a stack file, and what every section of it has in common."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from model.addressing import LAST_SERVICE_HOST

# No dash: IDR's /etc/hosts aliases strip "<release>-" up to the first one (research part A5).
ReleaseName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,19}$")]
NodeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,29}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
GroupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
MountPath = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+$")]
NfsSource = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+:(/[A-Za-z0-9._-]+)+$")]
NfsOptions = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(=[a-z0-9.]+)?(,[a-z0-9]+(=[a-z0-9.]+)?)*$")]


def _public_key(text: str) -> str:
    if not re.fullmatch(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/=]+( .*)?", text):
        msg = "must be one line of a public key file, as in ~/.ssh/id_ed25519.pub"
        raise ValueError(msg)
    return text


def _release_network(cidr: IPv4Network) -> IPv4Network:
    if cidr.num_addresses <= LAST_SERVICE_HOST:
        msg = "must be a /24 or larger: addresses are given by role, from .10 to .250"
        raise ValueError(msg)
    return cidr


PublicKey = Annotated[str, AfterValidator(_public_key)]
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
