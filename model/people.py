"""People with accounts of their own on the nodes, and the nodes of each role."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator

from model.field_types import SEALED, EachOnce, PublicKey, Section, Shape
from model.roles import NodeRole, Role

SYSTEM_NAMES = """
adm admin audio avahi backup bin bluetooth cdrom clock crontab daemon debian dhcpcd dialout dip disk dnsmasq docker fax
floppy ftp games gnats haproxy input irc kmem kvm landscape libvirt list lp lxd mail man messagebus mysql netdev news
nginx nobody nogroup ntp operator pcap plocate plugdev polkitd pollinate postfix postgres prometheus proxy rdma redis
render root rpc rtkit sasl scanner sgx shadow shutdown src ssh sshd ssl-cert staff statd sudo sync sys syslog tape
tcpdump tftp tss tty ubuntu usbmux users utmp uucp uuidd video voice wheel www-data
"""
"""Accounts and groups of Debian, Ubuntu, their packages and their cloud images."""
ADMIN_USER: Final = "idr"
"""The account that configures every node, with sudo. Plain keys of `operators` open it too."""
JUMP_USER: Final = "jump"
"""The account on the bastion that only passes connections on."""
RESERVED = frozenset({*SYSTEM_NAMES.split(), ADMIN_USER, JUMP_USER, "omero"})
RESERVED_PREFIXES = ("systemd-", "omero-", "idr-", "upload-", "fwupd-")

_FOR_CURATORS = frozenset({Role.OMERO_READWRITE, Role.UPLOAD})


class PersonRole(StrEnum):
    """The permissions of a person on the nodes where the role has an account."""

    OPERATOR = "operator"
    CURATOR = "curator"
    JUMP = "jump"


class Person(Section):
    """Somebody with an account of their own."""

    name: Annotated[
        str,
        Shape("[a-z][a-z0-9_-]{0,30}", "an account's name, as in alice: lower-case letters, digits, '_' and '-'"),
    ] = Field(description="Name of the account")
    keys: Annotated[tuple[PublicKey, ...], EachOnce] = Field(description="Public ssh keys, at least one")
    role: PersonRole = Field(
        description="`operator`: log in on every node, with sudo; `curator`: import on read-write OMERO nodes, and "
        "take over uploads; `jump`: pass connections on through the bastion, as the others may too"
    )

    def problems(self) -> Iterator[str]:
        """Yield a missing key, and names that another account has or may get from a package."""
        if not self.keys:
            yield "keys: give at least one"
        if self.name in RESERVED or self.name.startswith(RESERVED_PREFIXES):
            yield f"the name '{self.name}' belongs to the system or to this program: choose another"


_PUBLIC_KEY: TypeAdapter[str] = TypeAdapter(PublicKey)


def _person_or_key(value: Any, _: ValidatorFunctionWrapHandler) -> str | Person:
    # A plain union would report errors of both alternatives, key and person.
    return Person.model_validate(value) if isinstance(value, dict | Person) else _PUBLIC_KEY.validate_python(value)


Operator = Annotated[PublicKey | Person, WrapValidator(_person_or_key)]
"""A person with name and role, or a key for the account `idr`."""


def problems(operators: Iterable[str | Person]) -> Iterator[str]:
    """Yield names that appear twice, and keys of two people."""
    owners: dict[str, set[str]] = defaultdict(set)
    names_seen: set[str] = set()
    for one in operators:
        if isinstance(one, Person):
            if one.name in names_seen and one.name != SEALED:
                yield f"operators: the name '{one.name}' is there twice"
            names_seen.add(one.name)
        for key in one.keys if isinstance(one, Person) else (one,):
            owners[_without_comment(key)].add(one.name if isinstance(one, Person) else "the account idr")
    for key, names in owners.items():
        if len(names) > 1 and key != SEALED:
            yield f"operators: one key is given for {' and '.join(sorted(names))}: each person needs keys of their own"


def _without_comment(key: str) -> str:
    return key if key == SEALED else " ".join(key.split(" ", 2)[:2])


def root_keys(operators: Iterable[str | Person]) -> tuple[str, ...]:
    """Return the public keys of everybody who may become root."""
    keys_of_each = (
        one.keys if isinstance(one, Person) else (one,)
        for one in operators
        if not isinstance(one, Person) or one.role == PersonRole.OPERATOR
    )
    return tuple(key for keys in keys_of_each for key in keys)


def on_node(people: Iterable[Person], roles: Sequence[NodeRole]) -> tuple[Person, ...]:
    """Return the people with an account on a node with these roles, each with the role there."""
    effective_roles = ((person, _role_on_node(person.role, roles)) for person in people)
    return tuple(person.model_copy(update={"role": role}) for person, role in effective_roles if role)


def _role_on_node(role: PersonRole, roles: Sequence[NodeRole]) -> PersonRole | None:
    if role == PersonRole.OPERATOR:
        return role
    if Role.BASTION in roles:
        return PersonRole.JUMP
    return role if role == PersonRole.CURATOR and not _FOR_CURATORS.isdisjoint(roles) else None
