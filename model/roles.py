"""The roles of nodes, and what follows from a role alone."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from model.role_description import COMMON, Distribution, Feature, RoleDescription, RoleError, RoleFacts, read_all
from model.site_role_description import SiteRoleDescription


class Role(StrEnum):
    """A role of the program. A node has one role or several."""

    BASTION = "bastion"
    DATABASE = "database"
    REDIS = "redis"
    OMERO_READWRITE = "omero-readwrite"
    OMERO_READONLY = "omero-readonly"
    WEB = "web"
    PROXY = "proxy"
    MANAGEMENT = "management"
    UPLOAD = "upload"


class SiteRole(str):
    """A role of the site's own (`idr:siteRoles`): its name, with its description and its folder.

    The plan uses it like a `Role`. `path` is the folder's path in the checkout, for messages and the review.
    """

    description: SiteRoleDescription
    folder: Path
    path: str

    def __new__(cls, description: SiteRoleDescription, folder: Path, path: str) -> Self:
        """Create the role of a folder."""
        role = super().__new__(cls, folder.name)
        role.description, role.folder, role.path = description, folder, path
        return role


NodeRole = Role | SiteRole
"""A role of a node."""


class _Named:
    """Parses the name of a role in a stack file. The context of the validation has the site's own roles by name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(self._read, handler.generate_schema(Role))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "string", "description": "A role of `siteRoles`"}]}

    @staticmethod
    def _read(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> NodeRole:
        site: Mapping[str, SiteRole] = info.context or {}
        if isinstance(value, str) and value in site:
            return site[value]
        if value not in tuple(Role):
            names = ", ".join(f"'{name}'" for name in (*Role, *site))
            hint = "" if site else "; idr:siteRoles names a folder with others"
            raise PydanticCustomError("enum", "is no role", {"expected": names + hint})
        role: Role = handler(value)
        return role


NamedRole = Annotated[NodeRole, _Named()]
"""A role in a stack file."""

OMERO_ROLES = frozenset({Role.OMERO_READWRITE, Role.OMERO_READONLY})


def facts_of(descriptions: Mapping[str, RoleDescription]) -> dict[Role, RoleFacts]:
    """Return the facts of each `Role`, in the order of addresses. Raises RoleError if descriptions do not match."""
    facts = {role: about.node for role, about in descriptions.items() if about.node}
    wrong = [f"{_file(role)}: node: is required, because `Role` names this role" for role in Role if role not in facts]
    wrong += [f"{_file(role)}: node: `Role` in model/roles.py lacks this role" for role in facts.keys() - set(Role)]
    if wrong:
        raise RoleError("\n".join(sorted(wrong)))
    return {Role(role): facts[role] for role in sorted(facts, key=lambda role: facts[role].first_host)}


def _file(role: str) -> str:
    return f"cloudinit/{role}/role.yaml"


DESCRIPTIONS = read_all()
"""Every role by its name, also those that no stack file names."""

FACTS = facts_of(DESCRIPTIONS)


def role_description(role: str) -> RoleDescription:
    """Return the description of a role, also of one that no stack file names."""
    return role.description if isinstance(role, SiteRole) else DESCRIPTIONS[role]


def role_facts(role: NodeRole) -> RoleFacts:
    """Return the facts of a role for stack files and the plan."""
    return role.description.node if isinstance(role, SiteRole) else FACTS[role]


def applied_roles(
    roles: Iterable[NodeRole], distribution: Distribution, used: Collection[Feature] = ()
) -> tuple[str, ...]:
    """Return all roles that are applied to a node with `roles`, in order.

    `used` are settings that are set.
    """
    applied: list[str] = [COMMON]
    for role in roles:
        about = role_facts(role)
        for feature in sorted(used):
            applied += about.applies_with.get(feature, ())
        applied += about.applies.get(distribution, (role,))
    return tuple(dict.fromkeys(applied))


def node_address(cidr: IPv4Network, role: NodeRole, number: int) -> IPv4Address:
    """Return the address of the `number`-th node (from 1) whose first role is `role`.

    Raises ValueError if the role's block has no such address.
    """
    about = role_facts(role)
    host = about.first_host + number - 1
    if host > about.last_host:
        msg = f"role {role} has addresses for {about.last_host - about.first_host + 1}, not for {number} nodes"
        raise ValueError(msg)
    return cidr[host]
