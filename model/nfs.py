"""Raw images on NFS servers: which ports a mount needs, by its options (nfs(5)), and which options cannot work here."""

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
"""Firewalls open TCP over IPv4."""
SECURITY = ("sys", "none", "null")
"""Nodes have no keys of Kerberos."""
LOOKUPS = ("all", "none", "pos", "positive")
USELESS = {
    "hard": "would hang OMERO while a server is away",
    "bg": "would have systemd wait for ever",
    "noauto": "would leave the share away after a reboot",
}
"""Options of nfs(5) that nobody can want here."""
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
"""Options of nfs(5) that take a whole number, beside the ports."""
LONGEST = {"timeo": (600, "tenths of a second"), "retrans": (10, "tries")}
"""The longest time-outs of a soft mount; the default of nfs(5) for timeo is 600."""
RANGES = {"timeo": (1, 600), "nconnect": (1, 16), "minorversion": (0, 2)}
"""What Linux accepts, where that is not each number up to ANY."""
ANY = (0, 2**31 - 1)
_ASK_ANOTHER = frozenset({"mountaddr", "mounthost"})
"""Options of version 3 that name another host for the request of the list of exports."""
KNOWN = NUMBERED | frozenset(_OF_NFS.split())
"""Options of nfs(5), and those of mount(8) for every file system: mount.nfs refuses any other."""
NOT_OF_NFS = ("bind", "rbind", "loop", "move", "remount")
"""Options of mount(8) that mount no share of a server."""


def ports(mounts: Iterable[str]) -> tuple[tuple[Transport, int], ...]:
    """Transports and ports that mounts with these options need, sorted."""
    needed = {port for options in mounts for port in _ports(_parsed(options))}
    return tuple(sorted(needed, key=lambda port: (port[1], port[0])))


def problems(options: str) -> Iterator[str]:
    """Why a mount with these options cannot work, one text each."""
    given = _parsed(options)
    version = _version(given)
    if (whole := _whole_version(given)) not in VERSIONS_OF_LINUX:
        yield f"options: NFS version {whole} is not supported; use one of {', '.join(VERSIONS_OF_LINUX)}"
    for protocol in REFUSED_PROTOCOLS:
        if protocol in given or given.get("proto") == protocol:
            yield f"options: NFS over {protocol} is not supported; leave it out"
    if (security := given.get("sec", SECURITY[0])) not in SECURITY:
        yield f"options: sec={security} is not supported: nodes have no keys of Kerberos; leave it out"
    yield from (f"options: {name} {why}; leave it out" for name, why in USELESS.items() if name in given)
    if given.get("xprtsec", "none") != "none":
        yield "options: xprtsec is not supported: nodes have no certificates for NFS; leave it out"
    if (lookup := given.get("lookupcache", LOOKUPS[0])) not in LOOKUPS:
        yield f"options: lookupcache is one of {', '.join(LOOKUPS)}, and not '{lookup}'"
    wrong = [name for name in ("port", "mountport") if not _is_port(given, name)]
    yield from (f"options: {name}={given[name]} is no port" for name in wrong)
    yield from _unknown(given)
    yield from _contradictions([option.partition("=")[0] for option in options.split(",")])
    if version == "3":
        yield from _problems_of_version_3(given)


def _unknown(given: dict[str, str]) -> Iterator[str]:
    judged = {*SHORT_VERSIONS, *REFUSED_PROTOCOLS, *NOT_OF_NFS}
    for name, value in given.items():
        if name not in KNOWN | judged:
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


def _problems_of_version_3(given: dict[str, str]) -> Iterator[str]:
    if "mountport" not in given:
        yield (
            "options: NFS version 3 needs the port of the server's mountd, for the firewall: add mountport=PORT, as "
            "`rpcinfo -p SERVER` shows it"
        )
    if "nolock" not in given:
        yield "options: NFS version 3 with locks makes the server call back, which no rule allows: add nolock"


def _parsed(options: str) -> dict[str, str]:
    return dict(option.partition("=")[::2] for option in options.split(","))


def _version(given: dict[str, str]) -> str:
    """The major version."""
    return _whole_version(given).split(".")[0]


def _whole_version(given: dict[str, str]) -> str:
    short = next((name.removeprefix("v") for name in given if name in SHORT_VERSIONS), "4")
    return next((given[name] for name in VERSIONS if name in given), short)


def _is_port(given: dict[str, str], name: str) -> bool:
    return name not in given or (given[name].isdecimal() and 0 < int(given[name]) < 1 << 16)


def _ports(given: dict[str, str]) -> Iterator[tuple[Transport, int]]:
    yield "tcp", int(given.get("port", NFS_PORT))
    if _version(given) == "3":
        # Requests to rpcbind and mountd use TCP or UDP.
        for port in (RPCBIND_PORT, int(given["mountport"])):
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
        """Where the files come from, by path."""
        yield self.mount, f"{self.source} ({self.options})"

    def only_server(self) -> IPv4Address | None:
        """The server's address, if `source` has an address and no name."""
        host = self.source.partition(":")[0]
        asks_another = not _ASK_ANOTHER.isdisjoint(_parsed(self.options))
        return IPv4Address(host) if is_dotted(host) and not asks_another else None

    def problems(self) -> Iterator[str]:
        """Options that cannot work here."""
        yield from problems(self.options)
