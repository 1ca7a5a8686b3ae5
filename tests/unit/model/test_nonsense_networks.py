"""Networks and addresses that no cloud or machine can have are refused."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from harness import stacks
from model.hosts import NOT_FOR_MACHINES
from tests.unit.model.mistakes import Values, accepted, given_with, only, release


@pytest.mark.parametrize("reserved", NOT_FOR_MACHINES)
def test_networks_and_addresses_are_those_that_machines_can_have(reserved: IPv4Network) -> None:
    inside = f"{reserved[256]}/24"
    assert "cannot be a network of machines" in only(lambda v: v["bastion"].update(cidr=inside))
    assert "cannot be a network of machines" in only(lambda v: release(v).update(cidr=inside))
    named = {"name": "storage", "cidr": inside}
    assert "cannot be a network of machines" in only(lambda v: v.update(storageNetwork=named))
    address = str(reserved[257])
    for change in ({"dnsServers": [address]}, {"floatingIps": {"public": address}}, {"timeServers": [address]}):
        assert "cannot be the address of a machine" in given_with(**change), change


@pytest.mark.parametrize("cidr", ["8.8.8.0/24", "172.0.0.0/8", "193.62.55.0/24"])
def test_a_network_of_the_internet_is_for_networks_that_are_there_already(cidr: str) -> None:
    assert "is of the internet" in only(lambda v: release(v).update(cidr=cidr))
    releases = {"demo1": stacks.values("local")["releases"]["demo1"] | {"cidr": cidr, "existingNetwork": "campus"}}
    accepted(releases=releases)


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("dnsServers", {"dnsServers": ["10.130.1.20"]}),
        ("timeServers", {"timeServers": ["10.130.0.10"]}),
        ("sshFrom", {"sshFrom": ["192.0.2.0/24", "10.130.0.0/25"]}),
        ("omeroFrom", {"omeroFrom": ["10.130.1.0/24"]}),
        ("floatingIps.bastion", {"floatingIps": {"bastion": "10.130.1.50"}}),
        ("proxies", {"proxies": {"http": "http://10.130.1.50:3128"}}),
        ("nfsMounts", {"nfsMounts": [{"source": "10.130.1.40:/uod", "mount": "/uod"}]}),
    ],
)
def test_machines_of_the_site_are_not_in_the_stacks_own_networks(setting: str, change: Values) -> None:
    message = only(lambda v: v.update(change))
    assert message.startswith(f"idr: {setting} 10.130.")
    assert message.endswith("where this stack's own machines are")


@pytest.mark.parametrize("name", ["proxy", "bastion", "demo1-redis", "demo1-proxy", "database"])
def test_a_machine_of_the_site_does_not_have_the_name_of_a_node(name: str) -> None:
    for setting, change in (
        ("timeServers", {"timeServers": [name]}),
        ("proxies", {"proxies": {"http": f"http://{name}:3128"}}),
        ("nfsMounts", {"nfsMounts": [{"source": f"{name.upper()}:/uod", "mount": "/uod"}]}),
    ):
        assert given_with(**change).startswith(f"idr: {setting}: nodes take '{name}' for the stack's own node"), change
    accepted(timeServers=[f"{name}.example.org", "demo2-redis"])


def test_the_storage_network_is_not_where_floating_addresses_come_from() -> None:
    storage = {"name": "public", "cidr": "172.16.0.0/16"}
    message = given_with(externalNetwork="public", storageNetwork=storage)
    assert message.startswith("idr: storageNetwork.name: is the externalNetwork")
    accepted(externalNetwork="internet", storageNetwork=storage)


def test_one_floating_address_leads_to_one_machine() -> None:
    message = only(lambda v: v.update(floatingIps={"public": "192.0.2.9", "bastion": "192.0.2.9"}))
    assert message == "idr:floatingIps: public and bastion are both 192.0.2.9: an address leads to one machine"


def test_an_existing_network_has_one_purpose() -> None:
    releases = {"demo1": stacks.values("local")["releases"]["demo1"] | {"existingNetwork": "campus"}}
    message = given_with(releases=releases, externalNetwork="campus")
    assert message.startswith("idr: releases.demo1.existingNetwork: is the externalNetwork")
    storage = {"name": "campus", "cidr": "172.16.0.0/16"}
    message = given_with(releases=releases, storageNetwork=storage)
    assert message.startswith("idr: releases.demo1.existingNetwork: is the storageNetwork")
    accepted(releases=releases, storageNetwork=storage | {"name": "storage"})


NETWORK_FORMS = [3232235776, "10.0.0.0/024", "10.0.0.0/0.0.0.255", "192.0.2.0/255.255.255.0", " 10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize("network", NETWORK_FORMS)
def test_a_network_is_written_with_a_prefix_length(network: Any) -> None:
    expected = "must be an IPv4 network, as in 192.168.130.0/24"
    assert expected in given_with(sshFrom=[network])
    assert expected in only(lambda v: v["bastion"].update(cidr=network))


@pytest.mark.parametrize("address", [3232235777, True, "192.0.2.1/32", "0192.0.2.1", "192.0.2", "\u0661.2.3.4"])
def test_an_address_is_written_in_four_numbers(address: Any) -> None:
    assert "must be an IPv4 address, as in 192.0.2.10" in given_with(dnsServers=[address])
    assert "must be an IPv4 address, as in 192.0.2.10" in given_with(floatingIps={"public": address})


def test_a_subnet_takes_five_name_servers() -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 7)]
    assert given_with(dnsServers=addresses) == "idr:dnsServers: must have at most 5 entries"
    accepted(dnsServers=addresses[:5], sshFrom=["10.0.0.0/8"])
