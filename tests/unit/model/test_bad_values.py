"""Values of a stack file of the wrong kind or outside their limits."""

from collections.abc import Callable

import pytest

from tests.unit.model.mistakes import Bad, Values, each, mistakes

BAD: Bad = {
    "no memory": (
        lambda v: v["flavors"]["local.small"].update(memoryMib=0),
        ["idr:flavors.local.small.memoryMib: must be at least 512 (given: 0)"],
    ),
    "a sum that is none": (
        lambda v: v["omero"].update(server={"url": "https://example.org/a.zip", "sha256": "abc"}),
        ["idr:omero.server.sha256: must be the 64 hexadecimal digits of a SHA-256 sum (given: 'abc')"],
    ),
    "an empty image": (
        lambda v: v.update(image=""),
        ["idr:image: must be the name of a thing in the cloud (given: '')"],
    ),
    "half a processor": (
        lambda v: v["flavors"]["local.small"].update(vcpus=0.5),
        ["idr:flavors.local.small.vcpus: must be a whole number (given: 0.5)"],
    ),
    "memory with a unit": (
        lambda v: v["flavors"]["local.small"].update(memoryMib="2GB"),
        ["idr:flavors.local.small.memoryMib: must be a whole number (given: '2GB')"],
    ),
    "a distribution that is none": (
        lambda v: v["omero"].update(distribution="docker"),
        ["idr:omero.distribution: must be one of 'official', 'demo' (given: 'docker')"],
    ),
    "a download that is no address": (
        lambda v: v["omero"].update(server={"url": "server.zip"}),
        ["idr:omero.server.url: must be an address, as in https://www.example.org/file (given: 'server.zip')"],
    ),
    "an official distribution from nowhere": (
        lambda v: v.update(omero={"ice": {"url": "https://example.org/ice.tar.gz"}}),
        [
            "idr:omero: the official distribution needs server, with the url where it is fetched",
            "idr:omero: the official distribution needs icePython, with the url where it is fetched",
        ],
    ),
    "no connections": (
        lambda v: v["omero"].update(poolSize=0),
        ["idr:omero.poolSize: must be at least 1 (given: 0)"],
    ),
    "a yes that is none": (
        lambda v: v.update(protectData="maybe"),
        ["idr:protectData: must be true or false (given: 'maybe')"],
    ),
    "an authority without TLS": (
        lambda v: v.update(acme={"directory": "http://acme.example.org/"}),
        [
            "idr:acme.directory: must be an https address, as in https://example.org/path (given: 'http://acme.example.org/')"
        ],
    ),
    "an address for mail that is none": (
        lambda v: v.update(acme={"email": "operators"}),
        ["idr:acme.email: must be an address as in operators@example.org (given: 'operators')"],
    ),
}


@pytest.mark.parametrize(("change", "messages"), each(BAD))
def test_it_is_named_with_file_key_and_reason(change: Callable[[Values], object], messages: list[str]) -> None:
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]
