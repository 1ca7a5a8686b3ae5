"""The type and the reader of a role's description, `cloudinit/<role>/role.yaml`."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import Field, ValidationError

from model import explanation, yaml_text
from model.addressing import FIRST_NODE_HOST, FIRST_SERVICE_HOST
from model.field_types import EachOnce, MountPath, Section, Shape

FOLDER: Final = Path(__file__).resolve().parents[1] / "cloudinit"
NAME: Final = "role.yaml"
COMMON: Final = "common"
"""The role of every node."""

Package = Annotated[
    str,
    Shape(
        # No dash at the end: apt would remove the package.
        "[a-z0-9]([a-z0-9+.-]|\\{java\\})*([a-z0-9+.]|\\{java\\})",
        "a package of the distribution; {java} in it is the version of Java that the node's system has",
    ),
]
PackagePattern = Annotated[
    str, Shape("[a-z0-9][a-z0-9+.*\\[\\]-]+", "a package, or a pattern of packages for dpkg-query")
]
UnitPattern = Annotated[str, Shape("(?!-)[A-Za-z0-9:_.@*-]+", "a unit of systemd, or a pattern of units")]
Unit = Annotated[
    str,
    Shape(
        "(?!-)([A-Za-z0-9:_.@-]|\\{postgresql\\})+",
        "a unit of systemd; {postgresql} in it is the version of PostgreSQL that the node's system has",
    ),
]
Prefix = Annotated[str, Shape("/[A-Za-z0-9_./@-]+", "an absolute path, or the beginning of some")]
RoleName = Annotated[str, Shape("[a-z][a-z0-9-]*", "a folder of cloudinit/")]
WordName = Annotated[str, Shape("[a-z][a-z0-9-]*", "lower-case letters, digits and dashes, a letter first")]
Line = Annotated[str, Shape("(?! )[ -~]{1,100}(?<! )", "one line of at most 100 characters")]
Variable = Annotated[str, Shape("[a-z][a-z0-9_]*", "a name of an Ansible variable")]
Host = Annotated[int, Field(ge=FIRST_NODE_HOST, le=FIRST_SERVICE_HOST - 1, strict=True)]
Positive = Annotated[int, Field(ge=1, strict=True)]
Seconds = Annotated[int, Field(ge=1, le=86_400, strict=True)]


class RoleError(Exception):
    """Descriptions of roles are invalid; the text names every mistake, a line each: file, field, problem."""


class Distribution(StrEnum):
    """The distribution of OMERO.server."""

    OFFICIAL = "official"
    DEMO = "demo"


class Number(StrEnum):
    """The number of nodes of a release with a role."""

    NONE = "none"
    ONE = "exactly one"
    AT_MOST_ONE = "at most one"
    AT_LEAST_ONE = "at least one"
    ANY = "any"


class Feature(StrEnum):
    """A feature of a stack file for which roles need more packages, or nodes more roles."""

    ACME = "acme"
    S3 = "s3"
    """An entry of `storage` of this kind."""
    LOCAL_STORAGE = "localStorage"
    """An entry of `storage` that is created or checked on the nodes' own disks."""
    PAGES = "pages"
    """`site.pages`."""


class Tier(StrEnum):
    """The tier of a role between visitors and data. The diagram has a column for each."""

    ENTRANCE = "entrance"
    SERVICE = "service"
    STORE = "store"


class Service(Section):
    """A unit of systemd that a role runs. `idr-apply` stops it, and starts it if `restart_on` is given."""

    unit: Unit = Field(description="Its name")
    restart_on: tuple[Prefix, ...] | None = Field(
        None, description="It restarts when a path that begins so changes; absent: the role's `activate` starts it"
    )
    reload_on: tuple[Prefix, ...] = Field((), description="It reloads when a path that begins so changes")
    wait: bool = Field(True, description="Whether `idr-apply` waits until it has started")

    def name(self) -> str:
        """Return the unit's name without the ending that systemd adds."""
        return self.unit.removesuffix(".service")

    def problems(self) -> Iterator[str]:
        """Yield fields without effect, because something else starts the service."""
        if self.restart_on is None and (self.reload_on or not self.wait):
            yield "reloadOn and wait need restartOn: without it the role's `activate` starts the service"


def variable_of(volume: str) -> str:
    """Return the Ansible variable with the device of a volume whose role names none."""
    return f"{volume}_vol_dev"


class VolumePurpose(Section):
    """A data volume that a role keeps."""

    name: RoleName = Field(description="Its purpose, the key under `volumes` in a stack file")
    mount: MountPath = Field(description="Where it is mounted in the guest")
    required: bool = Field(description="Whether a node with the role must have it")
    ansible_variable: Variable | None = Field(
        None, description="Where IDR's playbooks (os-idr-volumes.yml) read its device; absent: `<name>_vol_dev`"
    )

    def variable(self) -> str:
        """Return the Ansible variable with its device."""
        return self.ansible_variable or variable_of(self.name)


class Restart(Section):
    """A service that must restart for some of its settings."""

    service: Line = Field(description="Its name for people")
    duration: Line = Field(description="About how long its start takes, in words")


class Interruption(Section):
    """What fails while a role's node is down, for the review of a change."""

    order: Positive = Field(description="Of a node with several roles, the review names the one with the lowest order")
    what: Line = Field(description="What visitors or operators miss")
    replacement_seconds: Seconds = Field(description="About how long the replacement of its machine takes")
    restart: Restart | None = Field(None, description="The service that an update may restart")


class RoleFacts(Section):
    """The facts of a role that are the same on every cloud.

    `first_host` and `last_host` are the host parts of the first and last address of nodes whose first role this is.
    Blocks are disjoint, so an address depends only on the node's own role and number.
    """

    first_host: Host
    last_host: Host
    per_release: Number = Field(description="How many nodes of a release have the role")
    memory_share: Positive = Field(description="The roles of one node divide its memory by their shares")
    tier: Tier = Field(description="Its place between visitors and data")
    volume: VolumePurpose | None = Field(None, description="The data volume that it keeps")
    applies: Mapping[Distribution, Annotated[tuple[RoleName, ...], EachOnce]] = Field(
        {}, description="By distribution of OMERO, the roles that are applied for it, in this order; else itself alone"
    )
    applies_with: Mapping[Feature, Annotated[tuple[RoleName, ...], EachOnce]] = Field(
        {}, description="By a setting of the stack file, the roles that are applied before it where that is set"
    )
    versions: Annotated[tuple[PackagePattern, ...], EachOnce] = Field(
        (), description="The packages whose versions `idr status --json` shows"
    )
    interruption: Interruption | None = Field(None, description="What fails while it is away; absent: nothing")

    def problems(self) -> Iterator[str]:
        """Yield an empty block of addresses."""
        if self.last_host < self.first_host:
            yield f"lastHost {self.last_host} is before firstHost {self.first_host}"


class RoleDescription(Section):
    """A role: a folder of configuration. Stack files can name roles with `node`; these apply the others."""

    packages: Annotated[tuple[Package, ...], EachOnce] = Field((), description="Packages that it needs")
    packages_with: Mapping[Feature, Annotated[tuple[Package, ...], EachOnce]] = Field(
        {}, description="By a setting of the stack file, the packages that it needs where that is set"
    )
    services: tuple[Service, ...] = Field((), description="What it runs, in the order of their start")
    units: Annotated[tuple[UnitPattern, ...], EachOnce] = Field(
        (), description="The units whose log lines explain a failure"
    )
    health_seconds: Seconds = Field(180, description="How long it may take to become healthy")
    node: RoleFacts | None = Field(None, description="What stack files and the plan need of it")

    def problems(self) -> Iterator[str]:
        """Yield services that are listed twice."""
        names = [service.name() for service in self.services]
        for number, name in enumerate(names):
            if name in names[:number]:
                yield f"services.{number}.unit: '{name}' is there already"


Description = TypeVar("Description", bound=RoleDescription)


def read_all(folder: Path = FOLDER) -> dict[str, RoleDescription]:
    """Read the description of each role by its name: every folder in `folder` with a role.yaml.

    Raises RoleError with all mistakes.
    """
    names = [file.parent.name for file in sorted(folder.glob(f"*/{NAME}"))]
    descriptions = read_each(folder, names, folder.name, RoleDescription)
    if wrong := [f"{folder.name}/{role}/{NAME}: {text}" for role, text in contradictions(descriptions)]:
        raise RoleError("\n".join(wrong))
    return descriptions


def read_each(folder: Path, names: Iterable[str], path: str, kind: type[Description]) -> dict[str, Description]:
    """Read the descriptions of the roles `names` in `folder`, whose name in messages is `path`.

    Raises RoleError with all mistakes.
    """
    descriptions: dict[str, Description] = {}
    wrong: list[str] = []
    for role in names:
        try:
            descriptions[role] = _read(folder / role / NAME, f"{path}/{role}/{NAME}", kind)
        except RoleError as error:
            wrong.append(str(error))
    if wrong:
        raise RoleError("\n".join(wrong))
    return descriptions


def _read(file: Path, where: str, kind: type[Description]) -> Description:
    try:
        written = yaml_text.load(file.read_bytes())
        return kind.model_validate({} if written is None else written)
    except OSError as error:
        problems: Iterable[str] = [f"cannot be read: {error.strerror}"]
    except yaml_text.YamlError as error:
        problems = [str(error)]
    except ValidationError as error:
        problems = explanation.lines(error, kind, "docs/site-roles.md")
    raise RoleError("\n".join(f"{where}: {problem}" for problem in problems))


def contradictions(roles: Mapping[str, RoleDescription]) -> Iterator[tuple[str, str]]:
    """Yield contradictions between two descriptions: the role, and the field with the problem."""
    facts = {role: description.node for role, description in roles.items() if description.node}
    units: dict[str, str] = {}
    for role, description in roles.items():
        for number, service in enumerate(description.services):
            if (other := units.setdefault(service.name(), role)) != role:
                yield role, f"services.{number}.unit: '{service.name()}' is a unit of {other}"
    blocks: dict[int, str] = {}
    orders: dict[int, str] = {}
    for role, own in facts.items():
        others = {blocks.setdefault(host, role) for host in range(own.first_host, own.last_host + 1)} - {role}
        for other in sorted(others):
            yield role, f"node.firstHost: {own.first_host} to {own.last_host} overlaps the addresses of {other}"
        if own.interruption and (other := orders.setdefault(own.interruption.order, role)) != role:
            yield role, f"node.interruption.order: {own.interruption.order} is that of {other}"
        applies = {f"applies.{distribution}": applied for distribution, applied in own.applies.items()}
        applies |= {f"appliesWith.{feature}": applied for feature, applied in own.applies_with.items()}
        for field, applied in applies.items():
            for missing in sorted(set(applied) - roles.keys()):
                yield role, f"node.{field}: '{missing}' is no folder with a {NAME}"
