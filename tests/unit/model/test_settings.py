"""Stack files: valid ones, and mistakes, which are reported together and without secrets."""

import pytest

from harness import stacks
from model.reading import Source
from tests.unit.model.mistakes import Values, mistakes


@pytest.mark.parametrize("stack", stacks.LAYOUTS)
def test_every_stack_file_of_the_repository_is_valid(stack: str) -> None:
    assert stacks.settings(stack).live in stacks.settings(stack).releases


def test_uod_and_ebi_differ_in_their_storage_only() -> None:
    uod, ebi = stacks.values("uod"), stacks.values("ebi")
    assert {key for key in uod if uod[key] != ebi[key]} == {"storageGroup", "storage"}


@pytest.mark.parametrize("stack", sorted(stacks.LAYOUTS.keys() - {"local"}))
def test_what_only_an_operator_knows_is_named(stack: str) -> None:
    missing = stacks.settings(stack).missing()
    assert missing[:4] == ("stackSecret", "image", "omeroImage", "externalNetwork")
    jars = [f"jars.{number}" for number, _ in enumerate(stacks.values(stack)["omero"].get("jars", ()))]
    by_name = any(":" in one.get("source", "") for one in stacks.values(stack).get("storage", ()))
    sums = [f"omero.{part}.sha256" for part in ("server", "ice", "icePython", *jars)]
    assert list(missing[4:]) == [*sums, *(["storageNetwork"] if by_name else [])]


def test_all_mistakes_are_reported_together() -> None:
    def spoil(values: Values) -> None:
        values.update(colour="blue")
        values["flavors"]["local.small"].update(vcpus=-1)

    assert mistakes(spoil) == [
        "Pulumi.local.yaml: idr:flavors.local.small.vcpus: must be at least 1 (given: -1)",
        "Pulumi.local.yaml: idr:colour: is not a setting; docs/settings.md has all",
    ]


def test_the_demo_server_is_for_local_only() -> None:
    assert mistakes(lambda _: None, Source("ebi", "Pulumi.ebi.yaml")) == [
        "Pulumi.ebi.yaml: idr:omero.distribution: 'demo' is for the stack 'local' only, since it keeps no data; use "
        "'official' (to try a cloud: `idr init --layout single-node`)"
    ]


def test_official_read_only_servers_need_one_that_has_the_files() -> None:
    def spoil(values: Values) -> None:
        values["omero"] = stacks.values("ebi")["omero"]
        values["releases"]["demo1"]["nodes"]["omeroreadwrite"]["roles"] = ["omero-readonly", "web"]

    assert mistakes(spoil) == [
        "Pulumi.local.yaml: idr: releases.demo1: read-only servers need a node with the role omero-readwrite"
        " for their files"
    ]


def test_no_message_repeats_the_stack_secret() -> None:
    assert not any("hunter2" in line for line in mistakes(lambda v: v.update(stackSecret="hunter2", colour="blue")))
