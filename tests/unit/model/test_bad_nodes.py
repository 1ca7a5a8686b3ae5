"""Nodes of a release whose roles, number or flavor do not fit."""

from collections.abc import Callable

import pytest

from model.roles import Role
from tests.unit.model.mistakes import Bad, Values, each, mistakes, node, release

BAD: Bad = {
    "a flavor not described": (
        lambda v: node(v, "redis").update(flavor="huge"),
        ["idr: releases.demo1.nodes.redis.flavor 'huge' is not in idr:flavors, which has: local.small, local.medium"],
    ),
    "a live release that is none": (
        lambda v: v.update(live="demo2"),
        ["idr: live names 'demo2', which is not one of the releases: demo1"],
    ),
    "a role that is none": (
        lambda v: node(v, "redis").update(roles=["cache"]),
        [
            f"idr:releases.demo1.nodes.redis.roles.0: must be one of {', '.join(map(repr, map(str, Role)))}; "
            "idr:siteRoles names a folder with others (given: 'cache')"
        ],
    ),
    "no role": (
        lambda v: node(v, "redis").update(roles=[]),
        [f"idr:releases.demo1.nodes.redis: roles: name at least one of {', '.join(Role)}"],
    ),
    "two databases": (
        lambda v: node(v, "redis").update(roles=["redis", "database"], volumes={"db": {"sizeGib": 1}}),
        ["idr:releases.demo1: needs exactly one node with the role database, has 2"],
    ),
    "no proxy": (lambda v: release(v)["nodes"].pop("proxy"), ["idr:releases.demo1: needs a node with the role proxy"]),
    "a bastion in a release": (
        lambda v: node(v, "proxy").update(roles=["proxy", "bastion"]),
        ["idr:releases.demo1: node 'proxy': the bastion is the stack's, not a release's; set idr:bastion"],
    ),
    "more nodes than addresses": (
        lambda v: node(v, "proxy").update(count=11),
        ["idr:releases.demo1: role proxy has addresses for 10, not for 11 nodes"],
    ),
    "a node name with a dash": (
        lambda v: release(v)["nodes"].update({"my-redis": release(v)["nodes"].pop("redis")}),
        [
            "idr:releases.demo1.nodes.my-redis.[key]: must be lower-case letters and digits, a letter first, at most 30 (given: 'my-redis')"
        ],
    ),
    "a node name with a digit first": (
        lambda v: release(v)["nodes"].update({"1redis": release(v)["nodes"].pop("redis")}),
        [
            "idr:releases.demo1.nodes.1redis.[key]: must be lower-case letters and digits, a letter first, at most 30 (given: '1redis')"
        ],
    ),
    "a release name with a dash": (
        lambda v: v["releases"].update({"prod-1": release(v)}),
        [
            "idr:releases.prod-1.[key]: must be lower-case letters and digits, a letter first, at most 20 (given: 'prod-1')"
        ],
    ),
    "a role named twice": (
        lambda v: node(v, "redis").update(roles=["redis", "redis"]),
        ["idr:releases.demo1.nodes.redis: roles: redis, redis names one twice"],
    ),
    "two redis": (
        lambda v: node(v, "proxy").update(roles=["proxy", "redis"]),
        ["idr:releases.demo1: needs exactly one node with the role redis, has 2"],
    ),
    "no redis": (
        lambda v: release(v)["nodes"].pop("redis"),
        ["idr:releases.demo1: needs exactly one node with the role redis, has 0"],
    ),
    "no database": (
        lambda v: release(v)["nodes"].pop("database"),
        ["idr:releases.demo1: needs exactly one node with the role database, has 0"],
    ),
    "no web": (
        lambda v: node(v, "omeroreadwrite").update(roles=["omero-readwrite"]),
        ["idr:releases.demo1: needs a node with the role web"],
    ),
    "no OMERO": (
        lambda v: node(v, "omeroreadwrite").update(roles=["web"]),
        ["idr:releases.demo1: needs a node with the role omero-readwrite or omero-readonly"],
    ),
    "two read-write servers": (
        lambda v: node(v, "omeroreadwrite").update(count=2),
        [
            "idr:releases.demo1: role omero-readwrite has addresses for 1, not for 2 nodes",
            "idr:releases.demo1: can have one node with the role omero-readwrite, has 2",
        ],
    ),
    "two groups that begin alike": (
        lambda v: release(v)["nodes"].update(second={"roles": ["proxy"], "flavor": "local.small"}),
        [
            "idr:releases.demo1: nodes 'proxy' and 'second' have the same first role proxy, which decides addresses: use count, or put another of their roles first"
        ],
    ),
    "two roles on one port": (
        lambda v: node(v, "omeroreadwrite").update(roles=["omero-readwrite", "omero-readonly", "web"]),
        [
            "idr:releases.demo1.nodes.omeroreadwrite: omero-readwrite and omero-readonly both listen on 4064, 4066: they cannot be on one node"
        ],
    ),
    "two hundred read-only servers": (
        lambda v: release(v)["nodes"].update(
            omeroreadonly={"roles": ["omero-readonly"], "flavor": "local.small", "count": 200}
        ),
        ["idr:releases.demo1: role omero-readonly has addresses for 100, not for 200 nodes"],
    ),
    "a negative count": (
        lambda v: node(v, "proxy").update(count=-1),
        ["idr:releases.demo1.nodes.proxy.count: must be at least 1 (given: -1)"],
    ),
    "an affinity that is none": (
        lambda v: node(v, "proxy").update(count=2, antiAffinity="firm"),
        ["idr:releases.demo1.nodes.proxy.antiAffinity: must be one of 'soft', 'hard' (given: 'firm')"],
    ),
    "a heap over memory": (
        lambda v: node(v, "omeroreadwrite").update(heapMib=3000),
        [
            "idr: releases.demo1.nodes.omeroreadwrite: its services take 3600 MiB (heapMib, webWorkers of 150 MiB each), its flavor 'local.medium' has 2048"
        ],
    ),
    "a heap that leaves no memory to what users need": (
        lambda v: (v.update(visitors="login"), node(v, "omeroreadwrite").update(heapMib=1200)),
        [
            "idr: releases.demo1.nodes.omeroreadwrite: its services take 2400 MiB (heapMib and half as much for search and pyramids, webWorkers of 150 MiB each), its flavor 'local.medium' has 2048"
        ],
    ),
    "workers over memory": (
        lambda v: node(v, "omeroreadwrite").update(webWorkers=40),
        [
            "idr: releases.demo1.nodes.omeroreadwrite: its services take 6767 MiB (heapMib, webWorkers of 150 MiB each), its flavor 'local.medium' has 2048"
        ],
    ),
    "a rebuild of a node that is none": (
        lambda v: release(v).update(rebuild={"redsi": 2}),
        ["idr:releases.demo1: rebuild names 'redsi', which is not a node; did you mean 'redis'?"],
    ),
    "a rebuild number of nought": (
        lambda v: release(v).update(rebuild={"redis": 0}),
        ["idr:releases.demo1.rebuild.redis: must be at least 1 (given: 0)"],
    ),
}


@pytest.mark.parametrize(("change", "messages"), each(BAD))
def test_it_is_named_with_file_key_and_reason(change: Callable[[Values], object], messages: list[str]) -> None:
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]
