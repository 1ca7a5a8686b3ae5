"""Networks and addresses of a stack file that cannot be used."""

import copy
from collections.abc import Callable

import pytest

from tests.unit.model.mistakes import Bad, Values, each, mistakes, release

BAD: Bad = {
    "a network too small": (
        lambda v: v["bastion"].update(cidr="10.0.0.0/25"),
        [
            "idr:bastion.cidr: must be a /24 or larger: addresses are given by role, from .10 to .250 (given: '10.0.0.0/25')"
        ],
    ),
    "host bits in a network": (
        lambda v: v["bastion"].update(cidr="10.0.0.1/24"),
        ["idr:bastion.cidr: must be an IPv4 network, and this has host bits set: 10.0.0.0/24? (given: '10.0.0.1/24')"],
    ),
    "networks that overlap": (
        lambda v: v["bastion"].update(cidr="10.130.0.0/16"),
        ["idr: releases.demo1.cidr 10.130.1.0/24 overlaps bastion.cidr 10.130.0.0/16"],
    ),
    "an address that is no network": (
        lambda v: v["bastion"].update(cidr="10.0.0"),
        ["idr:bastion.cidr: must be an IPv4 network, as in 192.168.130.0/24 (given: '10.0.0')"],
    ),
    "an IPv6 network": (
        lambda v: v["bastion"].update(cidr="fd00::/64"),
        ["idr:bastion.cidr: must be an IPv4 network, as in 192.168.130.0/24 (given: 'fd00::/64')"],
    ),
    "a name server that is no address": (
        lambda v: v.update(dnsServers=["dns.example.org"]),
        ["idr:dnsServers.0: must be an IPv4 address, as in 192.0.2.10 (given: 'dns.example.org')"],
    ),
    "a time server with a space": (
        lambda v: v.update(timeServers=["ntp example"]),
        ["idr:timeServers.0: must be a host name in lower case, or an IPv4 address (given: 'ntp example')"],
    ),
    "a host name in capitals": (
        lambda v: v.update(hostName="IDR.example.org"),
        ["idr:hostName: must be a host name in lower case, or an IPv4 address (given: 'IDR.example.org')"],
    ),
    "releases that overlap": (
        lambda v: v["releases"].update(demo2=copy.deepcopy(release(v))),
        ["idr: releases.demo2.cidr 10.130.1.0/24 overlaps releases.demo1.cidr 10.130.1.0/24"],
    ),
    "a storage network over a release": (
        lambda v: v.update(storageNetwork={"name": "nfs", "cidr": "10.130.1.128/25"}),
        ["idr: storageNetwork.cidr 10.130.1.128/25 overlaps releases.demo1.cidr 10.130.1.0/24"],
    ),
    "a proxy that is no address": (
        lambda v: v.update(proxies={"http": "squid"}),
        ["idr:proxies.http: must be an address, as in https://www.example.org/file"],
    ),
    "a floating address that is none": (
        lambda v: v.update(floatingIps={"public": "198.51.100.300"}),
        ["idr:floatingIps.public: must be an IPv4 address, as in 192.0.2.10 (given: '198.51.100.300')"],
    ),
    "a storage group with a blank": (
        lambda v: v.update(storageGroup="uod nfs"),
        ["idr:storageGroup: must be lower-case letters, digits and dashes, a letter first (given: 'uod nfs')"],
    ),
}


@pytest.mark.parametrize(("change", "messages"), each(BAD))
def test_it_is_named_with_file_key_and_reason(change: Callable[[Values], object], messages: list[str]) -> None:
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]
