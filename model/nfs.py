"""Raw images on NFS servers: the ports of a mount, by its options (nfs(5)), and options that cannot work here."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from typing import Final, Literal

from pydantic import Field

from model.field_types import MountPath, NfsOptions, NfsSource, Section
from model.firewall import NFS_PORT
from model.flow_fields import Transport
from model.hosts import is_dotted

RPCBIND_PORT: Final = 111
"""The port of rpcbind, which a client of version 3 asks for the port of NFS."""
VERSIONS = ("nfsvers", "vers")
VERSIONS_OF_LINUX = ("3", "4", "4.0", "4.1", "4.2")
SHORT_VERSIONS = ("v2", "v3", "v4")
REFUSED_PROTOCOLS = ("udp", "udp6", "rdma", "rdma6", "tcp6")
"""Transports that the firewalls do not open: they open TCP over IPv4."""
SECURITY = ("sys", "none", "null")
"""Supported security flavors: nodes have no Kerberos keys."""
LOOKUPS = ("all", "none", "pos", "positive")
USELESS = {
    "hard": "would hang OMERO while a server is away",
    "bg": "would have systemd wait for ever",
    "noauto": "would leave the share away after a reboot",
}
"""Options of nfs(5) that are useless here, with the reason."""
OPPOSITES = (("ro", "rw"), ("soft", "hard"), ("lock", "nolock"), ("sync", "async"))
_OF_NFS = """
ac acl async atime auto bg clientaddr cto defaults dev diratime dirsync exec fg fsc hard intr iversion lazytime lock
lookupcache loud migration mountaddr mounthost mountport mountproto mountvers nfsvers noac noacl noatime noauto nocto
nodev nodiratime noexec nofail nofsc nointr noiversion nolazytime nolock nomigration noposix nordirplus norelatime
noresvport nosharecache nosoftreval nostrictatime nosuid notrunkdiscovery nouser port posix proto rdirplus relatime
resvport ro rw sec sharecache silent sloppy soft softerr softreval strictatime suid sync tcp trunkdiscovery user users
vers write xprtsec
"""
_NUMBERED = "acdirmax acdirmin acregmax acregmin actimeo minorversion namlen nconnect retrans retry rsize timeo wsize"
NUMBERED = frozenset(_NUMBERED.split())
"""Options of nfs(5) that take an integer, except the ports."""
LONGEST = {"timeo": (600, "tenths of a second"), "retrans": (10, "tries")}
"""The longest time-outs of a soft mount; the default of nfs(5) for timeo is 600."""
RANGES = {"timeo": (1, 600), "nconnect": (1, 16), "minorversion": (0, 2)}
"""The ranges that Linux accepts; the default is ANY."""
ANY = (0, 2**31 - 1)
_OTHER_HOSTS = frozenset({"mountaddr", "mounthost"})
"""Options of version 3 that name another host for mountd."""
KNOWN = NUMBERED | frozenset(_OF_NFS.split())
"""Options of nfs(5), and those of mount(8) for every file system: mount.nfs refuses any other."""
NOT_OF_NFS = ("bind", "rbind", "loop", "move", "remount")
"""Options of mount(8) that do not mount an NFS share."""


def ports(mounts: Iterable[str]) -> tuple[tuple[Transport, int], ...]:
    """Return the transports and ports of mounts with these options, sorted."""
    needed = {port for options in mounts for port in _ports(_parsed(options))}
    return tuple(sorted(needed, key=lambda port: (port[1], port[0])))


def problems(options: str) -> Iterator[str]:
    """Yield the reasons why a mount with these options cannot work."""
    values = _parsed(options)
    version = _version(values)
    if (full_version := _full_version(values)) not in VERSIONS_OF_LINUX:
        yield f"options: NFS version {full_version} is not supported; use one of {', '.join(VERSIONS_OF_LINUX)}"
    for protocol in REFUSED_PROTOCOLS:
        if protocol in values or values.get("proto") == protocol:
            yield f"options: NFS over {protocol} is not supported; leave it out"
    if (security := values.get("sec", SECURITY[0])) not in SECURITY:
        yield f"options: sec={security} is not supported: nodes have no keys of Kerberos; leave it out"
    yield from (f"options: {name} {why}; leave it out" for name, why in USELESS.items() if name in values)
    if values.get("xprtsec", "none") != "none":
        yield "options: xprtsec is not supported: nodes have no certificates for NFS; leave it out"
    if (lookup := values.get("lookupcache", LOOKUPS[0])) not in LOOKUPS:
        yield f"options: lookupcache is one of {', '.join(LOOKUPS)}, and not '{lookup}'"
    wrong = [name for name in ("port", "mountport") if not _is_port(values, name)]
    yield from (f"options: {name}={values[name]} is no port" for name in wrong)
    yield from _unknown(values)
    yield from _contradictions([option.partition("=")[0] for option in options.split(",")])
    if version == "3":
        yield from _problems_of_version_3(values)


def _unknown(values: dict[str, str]) -> Iterator[str]:
    handled = {*SHORT_VERSIONS, *REFUSED_PROTOCOLS, *NOT_OF_NFS}
    for name, value in values.items():
        if name not in KNOWN | handled:
            yield f"options: '{name}' is no option of nfs(5); correct it, or leave it out"
        elif name in NUMBERED and not value.isdecimal():
            yield f"options: {name} takes a whole number, as in {name}=600"
        elif name in LONGEST and int(value) > LONGEST[name][0]:
            most, unit = LONGEST[name]
            yield f"options: {name}={value} would hang OMERO while a server is away; at most {most} ({unit})"
        elif name in NUMBERED and not (bounds := RANGES.get(name, ANY))[0] <= int(value) <= bounds[1]:
            bound = f"from {bounds[0]}" if int(value) < bounds[0] else f"up to {bounds[1]}"
            yield f"options: {name} takes a number {bound}, not {value}"


def _contradictions(names: list[str]) -> Iterator[str]:
    yield from (f"options: {name} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1)
    yield from (f"options: {one} and {other} contradict" for one, other in OPPOSITES if {one, other} <= set(names))
    versions = [name for name in dict.fromkeys(names) if name in (*VERSIONS, *SHORT_VERSIONS)]
    if len(versions) > 1:
        yield f"options: {' and '.join(versions)} both say the version; leave one out"
    yield from (f"options: {name} mounts no share of a server" for name in NOT_OF_NFS if name in names)


def _problems_of_version_3(values: dict[str, str]) -> Iterator[str]:
    if "mountport" not in values:
        yield (
            "options: NFS version 3 needs the port of the server's mountd, for the firewall: add mountport=PORT, as "
            "`rpcinfo -p SERVER` shows it"
        )
    if "nolock" not in values:
        yield "options: NFS version 3 with locks makes the server call back, which no rule allows: add nolock"


def _parsed(options: str) -> dict[str, str]:
    return dict(option.partition("=")[::2] for option in options.split(","))


def _version(values: dict[str, str]) -> str:
    """Return the major version."""
    return _full_version(values).split(".")[0]


def _full_version(values: dict[str, str]) -> str:
    short = next((name.removeprefix("v") for name in values if name in SHORT_VERSIONS), "4")
    return next((values[name] for name in VERSIONS if name in values), short)


def _is_port(values: dict[str, str], name: str) -> bool:
    return name not in values or (values[name].isdecimal() and 0 < int(values[name]) < 1 << 16)


def _ports(values: dict[str, str]) -> Iterator[tuple[Transport, int]]:
    yield "tcp", int(values.get("port", NFS_PORT))
    if _version(values) == "3":
        # Requests to rpcbind and mountd use TCP or UDP.
        for port in (RPCBIND_PORT, int(values["mountport"])):
            yield "tcp", port
            yield "udp", port


class NfsMount(Section):
    """Raw images that OMERO nodes mount, at the same path on all of them."""

    kind: Literal["nfs"] = Field("nfs", description="Left out below `nfsMounts` only")
    source: NfsSource = Field(description="server:/path")
    mount: MountPath = Field(description="Where it is mounted")
    options: NfsOptions = Field(
        "ro", description="Mount options, as in ro,nfsvers=4.2; version 3 needs nolock and mountport=PORT"
    )

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield each path with the origin of its files."""
        yield self.mount, f"{self.source} ({self.options})"

    def only_server(self) -> IPv4Address | None:
        """Return the server's address, if `source` has an address and not a name."""
        host = self.source.partition(":")[0]
        other_hosts = not _OTHER_HOSTS.isdisjoint(_parsed(self.options))
        return IPv4Address(host) if is_dotted(host) and not other_hosts else None

    def problems(self) -> Iterator[str]:
        """Yield options that cannot work here."""
        yield from problems(self.options)
