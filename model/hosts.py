"""Check names of other machines: addresses, networks, host names, and hosts of URLs. Each raises ValueError."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from pydantic import AnyHttpUrl, TypeAdapter
from pydantic_core import PydanticCustomError

LONGEST_LABEL = 63
"""Characters of a part of a host name (RFC 1035, 2.3.4)."""

# Addresses that no machine has (RFC 6890).
NOT_FOR_MACHINES = {
    IPv4Network("0.0.0.0/8"): "means 'this network'",
    IPv4Network("127.0.0.0/8"): "is each machine itself",
    IPv4Network("169.254.0.0/16"): "has the cloud's metadata service and is not routed",
    IPv4Network("224.0.0.0/4"): "is for multicast",
    IPv4Network("240.0.0.0/4"): "is reserved",
}

NO_PUBLIC_DNS = frozenset(
    {"corp", "example", "home", "internal", "invalid", "lan", "local", "localhost", "onion", "private", "test"}
)
"""Domains that public DNS never has (RFC 2606, 6761, 6762; ICANN on .internal), and usual private ones."""

_DOTTED = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?")
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*")
"""A last label with which programs read a name as an address: 0x7f.1 is 127.0.0.1."""
_URL = TypeAdapter(AnyHttpUrl)


def is_dotted(value: Any) -> bool:
    """Return whether a host is written like 192.0.2.10 or 192.0.2.0/24.

    Python also accepts a number as an address, and both kinds of masks (0.0.0.255) after the slash.
    """
    return isinstance(value, IPv4Address | IPv4Network) or (isinstance(value, str) and bool(_DOTTED.fullmatch(value)))


def dotted_address(value: Any) -> Any:
    """Check that the value is written as an address."""
    if not is_dotted(value):
        raise PydanticCustomError("ip_v4_address", "is no IPv4 address")
    return value


def dotted_network(value: Any) -> Any:
    """Check that the value is written as a network."""
    if not is_dotted(value):
        raise PydanticCustomError("ip_v4_network", "is no IPv4 network")
    return value


def machine_network(cidr: IPv4Network) -> IPv4Network:
    """Check that machines can have addresses in the network."""
    for network, why in NOT_FOR_MACHINES.items():
        if cidr.overlaps(network):
            msg = f"cannot be a network of machines: {network} {why}"
            raise ValueError(msg)
    return cidr


def machine_address(address: IPv4Address) -> IPv4Address:
    """Check that a machine can have the address."""
    for network, why in NOT_FOR_MACHINES.items():
        if address in network:
            msg = f"cannot be the address of a machine: {network} {why}"
            raise ValueError(msg)
    return address


def host_name(text: str) -> str:
    """Check a DNS name or an address of a machine."""
    labels = text.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            machine_address(IPv4Address(text))
        except AddressValueError:
            msg = "must be a host name, or an IPv4 address of four numbers up to 255"
            raise ValueError(msg) from None
    if any(not re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) for label in labels):
        msg = "must be a host name: letters, digits and dashes between the dots, no dash at either end"
        raise ValueError(msg)
    if any(len(label) > LONGEST_LABEL for label in labels):
        msg = f"must be a host name: at most {LONGEST_LABEL} characters between the dots"
        raise ValueError(msg)
    return text


def is_public(name: str) -> bool:
    """Return whether public DNS may have this name."""
    rest, _, last = name.rpartition(".")
    return bool(rest) and last not in NO_PUBLIC_DNS


def remote_host(text: str) -> str:
    """Check a host name, which must not mean the machine itself."""
    if "localhost" in (text, text.rpartition(".")[2]):
        msg = "must name another machine: 'localhost' is each machine itself"
        raise ValueError(msg)
    return text


def _of_another_machine(text: str) -> AnyHttpUrl:
    url = _URL.validate_python(text)
    remote_host(host_name(str(url.host).lower()))
    if not url.port:
        msg = "must name a port from 1 to 65535"
        raise ValueError(msg)
    return url


def proxy_url(text: str) -> str:
    """Return a proxy's URL in its normal form. Reserved characters of a password need not be encoded."""
    url = _of_another_machine(text)
    if url.path not in (None, "/") or url.query or url.fragment:
        msg = "must be a proxy's address, which ends with its port, as in http://proxy.example.org:3128"
        raise ValueError(msg)
    return str(url)


def file_url(text: str) -> str:
    """Check the URL of a file that nodes fetch. Its last part is the file's name; logs and plans show it."""
    url = _of_another_machine(text)
    if url.username or url.password:
        msg = "cannot hold a user or password, which plans and logs would show: use a server that asks for none"
        raise ValueError(msg)
    if url.query or url.fragment or str(url).endswith("/"):
        msg = "must end with the file's name, as in https://www.example.org/file.zip"
        raise ValueError(msg)
    return str(url)


def service_url(text: str) -> str:
    """Check the URL of a service of another machine."""
    _of_another_machine(text)
    return text


def email_address(text: str) -> str:
    """Check an email address, whose server must have a name."""
    host_name(text.rpartition("@")[2].lower())
    return text


def nfs_source(text: str) -> str:
    """Check an NFS source: the server must be another machine."""
    remote_host(host_name(text.partition(":")[0].lower()))
    return text
