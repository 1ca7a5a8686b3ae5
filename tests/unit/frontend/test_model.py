"""Sizes of caches, and which nodes serve what."""

from hypothesis import given
from hypothesis import strategies as st

from harness import stacks
from harness.proxy import proxy_node
from model import balancing, caching, tuning
from model.plan import Scope
from model.planning import plan
from model.reading import Source, parse


@given(st.integers(min_value=1, max_value=4000))
def test_full_caches_leave_room_on_the_volume(gib: int) -> None:
    zones = caching.zones(gib)
    assert sum(zone.size_mib for zone in zones) + zones[0].free_mib <= gib * 1024
    assert all(zone.size_mib > 0 and zone.keys_mib > 0 for zone in zones)


@given(st.integers(min_value=1, max_value=2000), st.integers(min_value=1, max_value=2000))
def test_a_larger_volume_never_makes_a_cache_smaller(gib: int, more: int) -> None:
    for small, large in zip(caching.zones(gib), caching.zones(gib + more), strict=True):
        assert (small.size_mib, small.keys_mib) <= (large.size_mib, large.keys_mib)


def test_the_kinds_share_the_whole_cache() -> None:
    assert abs(sum(kind.share for kind in caching.KINDS) - 1) < 1e-9


def test_idrs_volume_of_100_gib_gives_idrs_zones() -> None:
    zones = {zone.name: zone for zone in caching.zones(100)}
    assert 9 < zones["thumbnails"].size_mib / 1024 < 11
    assert 38 < zones["planes"].size_mib / 1024 < 42
    assert 250 < zones["thumbnails"].keys_mib < 350
    keys_mib = sum(zone.keys_mib for zone in zones.values())
    assert keys_mib < 800, "nginx keeps every key in memory: a smaller share or a larger typicalKib saves it"


def test_every_thumbnail_of_the_idr_fits_in_its_zone() -> None:
    thumbnails = 2_800_000
    zone = caching.zones(100)[0]
    assert zone.size_mib * 1024 / 3.5 > thumbnails
    assert zone.keys_mib * caching.KEYS_PER_MIB > thumbnails * 0.9


def test_a_proxy_without_a_cache_volume_keeps_a_little() -> None:
    assert tuning.cache_gib(proxy_node(stacks.plan_of("local"))) == tuning.WITHOUT_VOLUME_GIB
    assert tuning.cache_gib(proxy_node(stacks.plan_of("ebi"))) == 100


def names(release: Scope) -> tuple[list[str], list[str], list[str]]:
    """Return the nodes for visitors' pages, for operators' pages and for OMERO clients."""
    upstreams = (balancing.web(release), balancing.operators_web(release), balancing.omero(release))
    web, operators, omero = ([node.alias for node in nodes] for nodes in upstreams)
    return web, operators, omero


def test_a_single_server_serves_everything() -> None:
    one = ["omeroreadwrite"]
    assert names(stacks.plan_of("local").releases[0]) == (one, one, one)


def test_readonly_servers_with_both_roles_share_web_and_clients() -> None:
    every = [f"omeroreadonly-{number}" for number in range(1, 5)]
    assert names(stacks.plan_of("ebi").releases[0]) == (every, ["omeroreadwrite"], every)


def test_roles_divide_web_and_clients() -> None:
    values = stacks.values("ebi")
    nodes = values["releases"]["prod130"]["nodes"]
    nodes["omeroreadonly"] |= {"roles": ["omero-readonly"], "count": 2}
    nodes["omeroweb"] = {"roles": ["web", "omero-readonly"], "flavor": "m1.large", "count": 2}
    release = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi").releases[0]
    assert names(release) == (
        ["omeroweb-1", "omeroweb-2"],
        ["omeroreadwrite"],
        ["omeroreadonly-1", "omeroreadonly-2"],
    )
