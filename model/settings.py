"""The stack file as typed settings: one strict parse that reports every mistake at once.

Keys are written in camelCase, as in Pulumi's own files. Sizes are GiB and MiB and say so in their names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from model.addressing import LAST_SERVICE_HOST, node_address
from model.roles import FACTS, OMERO_ROLES, Role

# No dash: IDR's /etc/hosts aliases strip "<release>-" up to the first one (research part A5).
ReleaseName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,19}$")]
NodeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,29}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


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


class SettingsError(Exception):
    """The settings are not usable; the text names every mistake, a line each."""


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)


class Distribution(StrEnum):
    """Where OMERO.server comes from."""

    OFFICIAL = "official"
    DEMO = "demo"


class Flavor(_Model):
    """What a flavor of the cloud offers; the plan derives memory and worker numbers from it."""

    vcpus: PositiveInt
    memory_mib: PositiveInt


class DataVolume(_Model):
    """A data volume of a node."""

    size_gib: PositiveInt


class NodeGroup(_Model):
    """One node, or `count` alike."""

    roles: tuple[Role, ...]
    flavor: str
    count: PositiveInt | None = None
    image: str | None = None
    zone: str | None = None
    volumes: dict[str, DataVolume] = {}

    @model_validator(mode="after")
    def _volumes_fit_roles(self) -> Self:
        if not self.roles:
            msg = f"roles: name at least one of {', '.join(Role)}"
            raise ValueError(msg)
        purposes = {facts.volume.name: facts.volume for role in self.roles if (facts := FACTS[role]).volume}
        for name in self.volumes:
            if name not in purposes:
                known = ", ".join(sorted(purposes)) or "none"
                msg = f"volume '{name}' belongs to no role of this node; its roles use: {known}"
                raise ValueError(msg)
        for name, purpose in purposes.items():
            if purpose.required and name not in self.volumes:
                msg = f"needs a volume '{name}' (mounted at {purpose.mount})"
                raise ValueError(msg)
        return self


class Release(_Model):
    """One complete set of nodes in a subnet of its own."""

    cidr: ReleaseNetwork
    nodes: dict[NodeName, NodeGroup]
    rebuild: dict[str, PositiveInt] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        seen: dict[Role, str] = {}
        for name, group in self.nodes.items():
            first = group.roles[0]
            if first in seen:
                msg = f"nodes '{seen[first]}' and '{name}' have the same first role {first}: use count instead"
                raise ValueError(msg)
            seen[first] = name
            for role in group.roles:
                if role == Role.BASTION:
                    msg = f"node '{name}': the bastion is the stack's, not a release's; set idr:bastion"
                    raise ValueError(msg)
            node_address(self.cidr, first, group.count or 1)
        roles = [role for group in self.nodes.values() for role in group.roles for _ in range(group.count or 1)]
        for single in (Role.DATABASE, Role.REDIS):
            if roles.count(single) != 1:
                msg = f"needs exactly one node with the role {single}, has {roles.count(single)}"
                raise ValueError(msg)
        for needed in (Role.WEB, Role.PROXY):
            if needed not in roles:
                msg = f"needs a node with the role {needed}"
                raise ValueError(msg)
        if not OMERO_ROLES.intersection(roles):
            msg = "needs a node with the role omero-readwrite or omero-readonly"
            raise ValueError(msg)
        return self


class Bastion(_Model):
    """The one way in for operators; shared by all releases of the stack."""

    cidr: ReleaseNetwork
    flavor: str
    image: str | None = None


class Download(_Model):
    """A file of OMERO's distribution and its SHA-256; without the sum it is not used."""

    url: AnyHttpUrl
    sha256: Sha256 | None = None


class Omero(_Model):
    """OMERO.server: which distribution, and for the official one where its parts come from."""

    distribution: Distribution = Distribution.OFFICIAL
    server: Download | None = None
    ice: Download | None = None
    ice_python: Download | None = None

    def missing(self) -> list[str]:
        """Parts of the official distribution that are not named with a sum."""
        parts = {"server": self.server, "ice": self.ice, "icePython": self.ice_python}
        return [f"omero.{name}" for name, part in parts.items() if part is None or part.sha256 is None]


class Settings(_Model):
    """Everything a stack file says under `idr:`."""

    stack_secret: SecretStr | None = None
    operators: tuple[PublicKey, ...] = ()
    image: str | None = None
    external_network: str | None = None
    dns_servers: tuple[IPv4Address, ...] = ()
    host_name: HostName | None = None
    flavors: dict[str, Flavor]
    bastion: Bastion
    omero: Omero = Omero()
    releases: Annotated[dict[ReleaseName, Release], Field(min_length=1)]
    live: ReleaseName
    rotations: dict[str, PositiveInt] = {}
    protect_data: bool = True

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.live not in self.releases:
            msg = f"live names '{self.live}', which is not one of the releases: {', '.join(self.releases)}"
            raise ValueError(msg)
        used = [(f"releases.{r}.nodes.{n}", g.flavor) for r, s in self.releases.items() for n, g in s.nodes.items()]
        for where, flavor in [("bastion", self.bastion.flavor), *used]:
            if flavor not in self.flavors:
                msg = f"{where}.flavor '{flavor}' is not described; flavors has: {', '.join(self.flavors)}"
                raise ValueError(msg)
        networks = [
            ("bastion", self.bastion.cidr),
            *((f"releases.{n}", r.cidr) for n, r in self.releases.items()),
        ]
        for position, (where, cidr) in enumerate(networks):
            for other, another in networks[:position]:
                if cidr.overlaps(another):
                    msg = f"{where}.cidr {cidr} overlaps {other}.cidr {another}"
                    raise ValueError(msg)
        return self

    def missing(self) -> tuple[str, ...]:
        """Keys that only an operator can fill, still empty: a preview goes on without them, an `up` does not."""
        wanted: dict[str, object] = {
            "stackSecret": self.stack_secret,
            "image": self.image,
            "externalNetwork": self.external_network,
        }
        empty = [key for key, value in wanted.items() if value is None]
        if self.omero.distribution == Distribution.OFFICIAL:
            empty += [f"{part} (url and sha256)" for part in self.omero.missing()]
        return tuple(empty)


@dataclass(frozen=True)
class Source:
    """Where settings were read: the stack's name and the file's, for messages."""

    stack: str
    file: str


SHORTEST_SECRET = 32
DEMO_STACK = "local"


def parse(values: Mapping[str, Any], source: Source) -> Settings:
    """The settings of a stack.

    Raises SettingsError with every mistake, a line each: file, key, what is wrong.
    """
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        lines = [f"{source.file}: {_key(item['loc'])}: {_problem(item)}" for item in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    wrong = []
    secret = settings.stack_secret
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        wrong.append(
            f"idr:stackSecret: needs {SHORTEST_SECRET} characters or more; make one with: openssl rand -hex 32"
        )
    if settings.omero.distribution == Distribution.DEMO and source.stack != DEMO_STACK:
        wrong.append("idr:omero.distribution: 'demo' is for the stack 'local' only; use 'official'")
    if wrong:
        raise SettingsError("\n".join(f"{source.file}: {line}" for line in wrong))
    return settings


def _key(location: tuple[int | str, ...]) -> str:
    return "idr:" + ".".join(str(part) for part in location) if location else "idr"


def _problem(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "is not a setting"
    if item["type"] == "missing":
        return "is required"
    text = str(item["msg"]).removeprefix("Value error, ")
    given = item["input"]
    return (
        text if isinstance(given, dict | list) or "secret" in str(item["loc"]).lower() else f"{text} (given: {given!r})"
    )
