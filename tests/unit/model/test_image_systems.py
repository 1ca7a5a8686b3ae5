"""The operating system of an image, by its name or properties, and what an `up` refuses because of it."""

import pytest

from harness import stacks
from model.cloud_state import CloudState, Image
from model.image_systems import StatedSystem, by_name, by_properties
from model.plan import Plan
from model.planning import plan
from model.prerequisites import absent, notices
from model.reading import Source, parse
from model.systems import DEBIAN, UBUNTU


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("idr-debian-12", "Debian 12"),
        ("Debian-12-bookworm", "Debian 12"),
        ("debian-bookworm-amd64", "Debian 12"),
        ("[EOL] Debian 11 (2024-01-05)", "Debian 11"),
        ("ubuntu-24.04-server", "Ubuntu 24.04"),
        ("noble", "Ubuntu 24.04"),
        ("Ubuntu Jammy", "Ubuntu 22.04"),
        ("ubuntu", "Ubuntu"),
        ("Rocky-9.3", "Rocky 9.3"),
        ("site-base-2026-01", None),
        ("", None),
    ],
)
def test_a_name_says_distribution_and_release_or_nothing(name: str, expected: str | None) -> None:
    system = by_name(name)
    assert (str(system) if system else None) == expected


@pytest.mark.parametrize(
    ("named", "debian", "ubuntu"),
    [
        (StatedSystem("debian", "12"), False, True),
        (StatedSystem("debian", "12.5"), False, True),
        (StatedSystem("debian", "13"), True, True),
        (StatedSystem("debian", "1"), True, True),
        (StatedSystem("debian", ""), False, True),
        (StatedSystem("ubuntu", "24.04"), True, False),
        (StatedSystem("ubuntu", "22.04"), True, True),
        (StatedSystem("rocky", "9"), True, True),
    ],
)
def test_another_distribution_or_release_contradicts(named: StatedSystem, *, debian: bool, ubuntu: bool) -> None:
    assert (named.contradicts(DEBIAN), named.contradicts(UBUNTU)) == (debian, ubuntu)


def official(**images: str) -> Plan:
    """Return the layout of one machine, whose OMERO needs Ubuntu."""
    values = stacks.values("single-node") | {"externalNetwork": "public", **images}
    return plan(parse(values, Source("mine", "Pulumi.mine.yaml")), "mine")


def wrong_systems(stack_plan: Plan, *images: Image) -> list[str]:
    return [line for line in absent(stack_plan, CloudState(images=images)) if " needs " in line]


def test_debian_under_omero_image_is_refused_before_anything_is_created() -> None:
    stack_plan = official(image="debian-12", omeroImage="debian-12")
    (line,) = wrong_systems(stack_plan, Image("debian-12"))
    assert line == (
        "image 'debian-12' is Debian 12, idr2016-omero needs Ubuntu 24.04: name another image; should this be wrong, "
        "set the image's properties os_distro and os_version"
    )


@pytest.mark.parametrize(
    ("debian", "ubuntu", "wrong"),
    [
        (Image("d"), Image("u"), 0),  # neither name nor property has the system
        (Image("d", system=by_properties("debian", "12")), Image("u", system=by_properties("ubuntu", "24.04")), 0),
        (Image("d", system=by_properties("debian", "11")), Image("u"), 1),
        (Image("d"), Image("u", system=by_properties("ubuntu", "22.04")), 1),
        (Image("d"), Image("u", system=by_properties("Debian", None)), 1),
        (Image("ubuntu-24.04"), Image("debian-12"), 2),
        (Image("debian-12"), Image("ubuntu-22.04"), 1),
        # Properties count more than the name.
        (Image("ubuntu-24.04", system=by_properties("debian", "12")), Image("u"), 0),
    ],
)
def test_what_contradicts_the_roles_is_refused(debian: Image, ubuntu: Image, wrong: int) -> None:
    stack_plan = official(image=debian.name, omeroImage=ubuntu.name)
    assert len(wrong_systems(stack_plan, debian, ubuntu)) == wrong


def test_another_debian_by_its_name_alone_is_a_notice() -> None:
    stack_plan = official(image="debian-13", omeroImage="u")
    state = CloudState(images=(Image("debian-13"), Image("u")))
    assert wrong_systems(stack_plan, *(state.images or ())) == []
    assert "image 'debian-13' is Debian 13 by its name, the roles support Debian 12" in notices(stack_plan, state)


def test_where_another_tool_configures_the_nodes_any_system_will_do() -> None:
    stack_plan = stacks.with_settings(official(image="rocky-9", omeroImage="rocky-9"), configure=False)
    assert wrong_systems(stack_plan, Image("rocky-9")) == []
