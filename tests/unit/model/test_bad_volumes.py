"""Volumes and mounts that cannot be used."""

from collections.abc import Callable

import pytest

from tests.unit.model.mistakes import Bad, Values, each, mistakes, node

SNAPSHOT, VOLUME = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

BAD: Bad = {
    "a database without its volume": (
        lambda v: node(v, "database").pop("volumes"),
        ["idr:releases.demo1.nodes.database: needs a volume 'db' (mounted at /var/lib/postgresql)"],
    ),
    "a volume of no role": (
        lambda v: node(v, "redis").update(volumes={"data": {"sizeGib": 1}}),
        ["idr:releases.demo1.nodes.redis: volume 'data' belongs to no role of this node; its roles use: none"],
    ),
    "a volume of no size": (
        lambda v: node(v, "database")["volumes"]["db"].update(sizeGib=0),
        ["idr:releases.demo1.nodes.database.volumes.db.sizeGib: must be at least 1 (given: 0)"],
    ),
    "a boot volume of no size": (
        lambda v: node(v, "redis").update(bootVolumeGib=0),
        ["idr:releases.demo1.nodes.redis.bootVolumeGib: must be at least 1 (given: 0)"],
    ),
    "a copy smaller than its source": (
        lambda v: node(v, "database")["volumes"]["db"].update(source={"snapshot": SNAPSHOT, "sizeGib": 2}),
        ["idr:releases.demo1.nodes.database.volumes.db: sizeGib 1 is smaller than its source, which has 2"],
    ),
    "a copy of two things": (
        lambda v: node(v, "database")["volumes"]["db"].update(
            source={"snapshot": SNAPSHOT, "volume": VOLUME, "sizeGib": 1}
        ),
        ["idr:releases.demo1.nodes.database.volumes.db.source: name either a snapshot or a volume"],
    ),
    "a copy of nothing": (
        lambda v: node(v, "database")["volumes"]["db"].update(source={"sizeGib": 1}),
        ["idr:releases.demo1.nodes.database.volumes.db.source: name either a snapshot or a volume"],
    ),
    "a snapshot that is no id": (
        lambda v: node(v, "database")["volumes"]["db"].update(source={"snapshot": "latest", "sizeGib": 1}),
        [
            "idr:releases.demo1.nodes.database.volumes.db.source.snapshot: must be an id of the cloud, as in 3f2504e0-4f89-41d3-9a0c-0305e82c3301 (given: 'latest')"
        ],
    ),
    "an existing volume with a source": (
        lambda v: node(v, "database")["volumes"]["db"].update(
            existing=SNAPSHOT, source={"volume": VOLUME, "sizeGib": 1}
        ),
        [
            "idr:releases.demo1.nodes.database.volumes.db: an existing volume is used as it is: it takes neither source nor type"
        ],
    ),
    "an existing volume for several nodes": (
        lambda v: node(v, "proxy").update(count=2, volumes={"nginxcache": {"sizeGib": 1, "existing": SNAPSHOT}}),
        ["idr:releases.demo1.nodes.proxy: volume 'nginxcache' exists once; 2 nodes cannot share it"],
    ),
    "one existing volume for two nodes": (
        lambda v: (
            node(v, "database")["volumes"]["db"].update(existing=SNAPSHOT),
            node(v, "proxy").update(volumes={"nginxcache": {"sizeGib": 1, "existing": SNAPSHOT}}),
        ),
        ["idr: the existing volume 3f2504e0-4f89-41d3-9a0c-0305e82c3301 is named twice: one machine can have it"],
    ),
    "a mount without server": (
        lambda v: v.update(nfsMounts=[{"source": "/uod/idr", "mount": "/uod/idr"}]),
        ["idr:nfsMounts.0.source: must be a server and a path, as in nfs.example.org:/idr (given: '/uod/idr')"],
    ),
    "a mount at a relative path": (
        lambda v: v.update(nfsMounts=[{"source": "nfs:/uod", "mount": "uod/idr"}]),
        ["idr:nfsMounts.0.mount: must be an absolute path (given: 'uod/idr')"],
    ),
    "mount options with a quote": (
        lambda v: v.update(nfsMounts=[{"source": "nfs:/uod", "mount": "/uod", "options": "ro'"}]),
        ['idr:nfsMounts.0.options: must be mount options, as in ro,nfsvers=4.2 (given: "ro\'")'],
    ),
    "a path mounted twice": (
        lambda v: v.update(nfsMounts=[{"source": "nfs:/a", "mount": "/uod"}, {"source": "nfs:/b", "mount": "/uod"}]),
        ["idr: nfsMounts: /uod is mounted twice"],
    ),
    "a mount over a data volume": (
        lambda v: v.update(nfsMounts=[{"source": "nfs:/a", "mount": "/data"}]),
        ["idr: nfsMounts: /data is mounted twice"],
    ),
}


@pytest.mark.parametrize(("change", "messages"), each(BAD))
def test_it_is_named_with_file_key_and_reason(change: Callable[[Values], object], messages: list[str]) -> None:
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]
