"""The types of values in a stack file, and the base class of its sections."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import CoreSchema, core_schema

from model import hosts
from model.addressing import LAST_SERVICE_HOST
from model.ssh_keys import ssh_public_key

SEALED = "(encrypted in the stack file, opened by the engine alone)"
"""Placeholder for an encrypted value that was not decrypted; long enough for a stack secret."""
LONGEST_NAME = 255
"""Characters of the name of a file, or of a unit of systemd."""


@dataclass(frozen=True)
class Shape:
    """Text that fully matches `pattern`. The JSON schema has the pattern and the message."""

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the pattern after pydantic's own check that the value is text."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON schema that editors use."""
        return {**handler(schema), "pattern": f"^{self.pattern}$", "description": f"Must be {self.meaning}"}

    def _check(self, text: str) -> str:
        if text != SEALED and not re.fullmatch(self.pattern, text):
            msg = f"must be {self.meaning}"
            raise ValueError(msg)
        return text


def _release_network(cidr: IPv4Network) -> IPv4Network:
    if cidr.num_addresses <= LAST_SERVICE_HOST:
        msg = "must be a /24 or larger: addresses are given by role, from .10 to .250"
        raise ValueError(msg)
    return cidr


def _path(text: str) -> str:
    if {".", ".."}.intersection(text.rpartition(":")[2].split("/")):
        msg = "must be a path without '.' and '..'"
        raise ValueError(msg)
    return text


def _short_parts(text: str) -> str:
    if any(len(part) > LONGEST_NAME for part in text.split("/")):
        msg = f"must have parts of at most {LONGEST_NAME} characters"
        raise ValueError(msg)
    # systemd.unit(5): a dash of a path is four characters of its unit's name.
    if len(text.replace("-", r"\x2d") + ".automount") > LONGEST_NAME:
        msg = "is too long for systemd to name its unit"
        raise ValueError(msg)
    return _path(text)


def _no_bool(value: Any) -> Any:
    # Python counts True as 1, and pydantic takes it for a number.
    if isinstance(value, bool):
        msg = "must be a whole number"
        raise ValueError(msg)  # pydantic reports ValueError
    return value


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for position, value in enumerate(values):
        if value != SEALED and (first := values.index(value)) != position:
            msg = f"entries {first} and {position} are the same"
            raise ValueError(msg)
    return values


def _unless_sealed(check: Callable[[str], str]) -> AfterValidator:
    """Skip a check for encrypted values."""
    return AfterValidator(lambda text: text if text == SEALED else check(text))


TEXT = "[^\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]"
"""A printable character: no line end, no control character, no change of the writing direction."""

# No dash: IDR's /etc/hosts aliases strip "<release>-" up to the first one (research part A5).
ReleaseName = Annotated[str, Shape("[a-z][a-z0-9]{0,19}", "lower-case letters and digits, a letter first, at most 20")]
NodeName = Annotated[str, Shape("[a-z][a-z0-9]{0,29}", "lower-case letters and digits, a letter first, at most 30")]
GroupName = Annotated[str, Shape("[a-z][a-z0-9-]{0,39}", "lower-case letters, digits and dashes, a letter first")]
Name = Annotated[str, Shape(f"(?! ){TEXT}{{1,255}}(?<! )", "the name of a thing in the cloud")]
HostName = Annotated[
    str,
    Shape("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "a host name in lower case, or an IPv4 address"),
    _unless_sealed(hosts.host_name),
]
RemoteHost = Annotated[HostName, _unless_sealed(hosts.remote_host)]
HttpsUrl = Annotated[
    str,
    Shape("https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]*)*", "an https address, as in https://example.org/path"),
    _unless_sealed(hosts.service_url),
]
ProxyUrl = Annotated[str, _unless_sealed(hosts.proxy_url)]
EmailAddress = Annotated[
    str,
    Shape("[A-Za-z0-9_][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+", "an address as in operators@example.org"),
    _unless_sealed(hosts.email_address),
]
FileUrl = Annotated[str, _unless_sealed(hosts.file_url), WithJsonSchema({"type": "string", "format": "uri"})]
Sha256 = Annotated[str, Shape("[0-9a-f]{64}", "the 64 hexadecimal digits of a SHA-256 sum")]
MountPath = Annotated[str, Shape("(/[A-Za-z0-9._-]+)+", "an absolute path"), _unless_sealed(_short_parts)]
NfsSource = Annotated[
    str,
    Shape("[A-Za-z0-9.-]+:(/[A-Za-z0-9._-]+)+", "a server and a path, as in nfs.example.org:/idr"),
    _unless_sealed(_path),
    _unless_sealed(hosts.nfs_source),
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
"""A password without characters that are special in a shell, OMERO's configuration, nginx or JSON."""
PublicKey = Annotated[
    str,
    Shape(
        f"(ssh-ed25519|ssh-rsa|ecdsa-sha2-\\S+|sk-\\S+) [A-Za-z0-9+/=]+( {TEXT}*)?",
        "one line of a public key file, as in ~/.ssh/id_ed25519.pub",
    ),
    _unless_sealed(ssh_public_key),
]
MachineAddress = Annotated[IPv4Address, AfterValidator(hosts.machine_address), BeforeValidator(hosts.dotted_address)]
MachineNetwork = Annotated[IPv4Network, AfterValidator(hosts.machine_network), BeforeValidator(hosts.dotted_network)]
ReleaseNetwork = Annotated[MachineNetwork, AfterValidator(_release_network)]

EachOnce = AfterValidator(_each_once)
"""A list without repeated entries. Neutron would refuse a repeated name server in the middle of an update."""

_NUMBER = BeforeValidator(_no_bool)
Processors = Annotated[int, Field(ge=1, le=1024), _NUMBER]
FlavorMib = Annotated[int, Field(ge=512, le=16 << 20), _NUMBER]
"""MiB of memory. Debian needs half a GiB; PostgreSQL accepts a quarter of 16 TiB, but not of 32."""
HeapMib = Annotated[int, Field(ge=256, le=16 << 20), _NUMBER]
VolumeGib = Annotated[int, Field(ge=1, le=1 << 20), _NUMBER]
"""Up to a PiB."""
Several = Annotated[int, Field(ge=1, le=1000), _NUMBER]
Generation = Annotated[int, Field(ge=1, le=(1 << 31) - 1), _NUMBER]
"""A number whose change requests something, such as a rebuild, for example a date (20260131)."""


def without_default(schema: JsonDict) -> None:
    """Remove the default from the JSON schema if a stack file writes the setting in another form."""
    del schema["default"]


class Section(BaseModel):
    """A part of a stack file: keys in camelCase, unknown keys are refused, instances are immutable."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    def problems(self) -> Iterator[str]:
        """Yield the contradictions in this section. Sections override it."""
        yield from ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if problems := list(self.problems()):
            # All at once; `model.reading` gives each its line.
            raise ValueError("\n".join(problems))
        return self
