"""Keys that are no settings, and missing settings."""

from collections.abc import Callable

import pytest

from tests.unit.model.mistakes import Bad, Values, each, mistakes, node, release

BAD: Bad = {
    "a key that is no setting": (
        lambda v: v.update(colour="blue"),
        ["idr:colour: is not a setting; docs/settings.md has all"],
    ),
    "a missing key": (lambda v: v.pop("flavors"), ["idr:flavors: is required"]),
    "a node key that is no setting": (
        lambda v: node(v, "redis").update(flavour="local.small"),
        ["idr:releases.demo1.nodes.redis.flavour: is not a setting; did you mean 'flavor'?"],
    ),
    "a release key that is no setting": (
        lambda v: release(v).update(cdir="10.0.0.0/24"),
        ["idr:releases.demo1.cdir: is not a setting; did you mean 'cidr'?"],
    ),
    "a key of the stack's in a release": (
        lambda v: release(v).update(web={"requirements": "site/web.lock"}),
        ["idr:releases.demo1.web.requirements: is not a setting; there are: apps, config"],
    ),
    "a key in an entry of a list": (
        lambda v: v.update(redirects=[{"from": "/a", "to": "/b", "permanant": True}]),
        ["idr:redirects.0.permanant: is not a setting; did you mean 'permanent'?"],
    ),
    "a key of another kind of entry": (
        lambda v: v.update(storage=[{"kind": "path", "mount": "/a", "bucket": "x"}]),
        ["idr:storage.0.bucket: is not a setting; docs/settings.md has all"],
    ),
    "a path for a key, as `pulumi config set` without --path writes it": (
        lambda v: v.update({"web.apps": ["mapr"]}),
        ["idr:web.apps: is not a setting; write 'apps' below 'web' (with `pulumi config set`: --path)"],
    ),
    "a volume key that is no setting": (
        lambda v: node(v, "database")["volumes"]["db"].update(size=1),
        ["idr:releases.demo1.nodes.database.volumes.db.size: is not a setting; did you mean 'sizeGib'?"],
    ),
    "no releases": (
        lambda v: v.update(releases={}),
        ["idr:releases: must have at least one entry"],
    ),
    "no live release named": (lambda v: v.pop("live"), ["idr:live: is required"]),
    "no bastion": (lambda v: v.pop("bastion"), ["idr:bastion: is required"]),
    "a release without network": (lambda v: release(v).pop("cidr"), ["idr:releases.demo1.cidr: is required"]),
    "a node without flavor": (
        lambda v: node(v, "redis").pop("flavor"),
        ["idr:releases.demo1.nodes.redis.flavor: is required"],
    ),
    "a node without roles": (
        lambda v: node(v, "redis").pop("roles"),
        ["idr:releases.demo1.nodes.redis.roles: is required"],
    ),
    "a node that is no mapping": (
        lambda v: release(v)["nodes"].update(redis="local.small"),
        ["idr:releases.demo1.nodes.redis: must be a mapping of keys to values"],
    ),
    "a volume without size": (
        lambda v: node(v, "database")["volumes"].update(db={}),
        ["idr:releases.demo1.nodes.database.volumes.db.sizeGib: is required"],
    ),
    "no distribution": (lambda v: v.pop("omero"), ["idr:omero: is required"]),
    "a list for a mapping": (
        lambda v: v.update(flavors=["local.small"]),
        ["idr:flavors: must be a mapping of keys to values"],
    ),
}


@pytest.mark.parametrize(("change", "messages"), each(BAD))
def test_it_is_named_with_file_key_and_reason(change: Callable[[Values], object], messages: list[str]) -> None:
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]
