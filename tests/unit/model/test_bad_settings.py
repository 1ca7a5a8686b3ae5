"""Stack files that are not usable, each with exactly what is said of it."""

import copy
from collections.abc import Callable

import pytest

from harness import stacks
from tests.unit.model.mistakes import Values, mistakes, node, release

KEY = stacks.OPERATOR_KEY
SNAPSHOT, VOLUME = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

BAD: dict[str, tuple[Callable[[Values], object], list[str]]] = {
    "a key that is no setting": (lambda v: v.update(colour="blue"), ["idr:colour: is not a setting"]),
    "a missing key": (lambda v: v.pop("flavors"), ["idr:flavors: is required"]),
    "no memory": (
        lambda v: v["flavors"]["local.small"].update(memoryMib=0),
        ["idr:flavors.local.small.memoryMib: must be at least 512 (given: 0)"],
    ),
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
    "a flavor not described": (
        lambda v: node(v, "redis").update(flavor="huge"),
        ["idr: releases.demo1.nodes.redis.flavor 'huge' is not described; flavors has: local.small, local.medium"],
    ),
    "a live release that is none": (
        lambda v: v.update(live="demo2"),
        ["idr: live names 'demo2', which is not one of the releases: demo1"],
    ),
    "a database without its volume": (
        lambda v: node(v, "database").pop("volumes"),
        ["idr:releases.demo1.nodes.database: needs a volume 'db' (mounted at /var/lib/postgresql)"],
    ),
    "a volume of no role": (
        lambda v: node(v, "redis").update(volumes={"data": {"sizeGib": 1}}),
        ["idr:releases.demo1.nodes.redis: volume 'data' belongs to no role of this node; its roles use: none"],
    ),
    "a role that is none": (
        lambda v: node(v, "redis").update(roles=["cache"]),
        [
            "idr:releases.demo1.nodes.redis.roles.0: must be one of 'bastion', 'database', 'redis', 'omero-readwrite', 'omero-readonly', 'web', 'proxy', 'management', 'upload' (given: 'cache')"
        ],
    ),
    "no role": (
        lambda v: node(v, "redis").update(roles=[]),
        [
            "idr:releases.demo1.nodes.redis: roles: name at least one of bastion, database, redis, omero-readwrite, omero-readonly, web, proxy, management, upload"
        ],
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
    "an operator's key that is none": (
        lambda v: v.update(operators=["secret"]),
        ["idr:operators.0: must be one line of a public key file, as in ~/.ssh/id_ed25519.pub"],
    ),
    "people with mistakes": (
        lambda v: v.update(
            operators=[
                {"name": "Al ice", "keys": ["secret"], "role": "jump"},
                {"name": "root", "keys": [], "role": "operator"},
                {"name": "bob", "keys": [KEY], "role": "admin", "shell": "/bin/zsh"},
                {},
                [],
            ]
        ),
        [
            "idr:operators.0.name: must be an account's name, as in alice: lower-case letters, digits, '_' and '-'",
            "idr:operators.0.keys.0: must be one line of a public key file, as in ~/.ssh/id_ed25519.pub",
            "idr:operators.1: keys: give at least one",
            "idr:operators.1: the name 'root' belongs to the system or to this program: choose another",
            "idr:operators.2.role: must be one of 'operator', 'curator', 'jump'",
            "idr:operators.2.shell: is not a setting",
            "idr:operators.3.name: is required",
            "idr:operators.3.keys: is required",
            "idr:operators.3.role: is required",
            "idr:operators.4: must be text",
        ],
    ),
    "one name for two people": (
        lambda v: v.update(
            operators=[
                {"name": "alice", "keys": [KEY], "role": "jump"},
                {"name": "alice", "keys": [stacks.OPERATOR], "role": "jump"},
            ]
        ),
        ["idr: operators: the name 'alice' is there twice"],
    ),
    "one key for two people": (
        lambda v: v.update(
            operators=[
                {"name": "bob", "keys": [f"{KEY} at work"], "role": "jump"},
                {"name": "alice", "keys": [stacks.OPERATOR, KEY], "role": "jump"},
            ]
        ),
        ["idr: operators: one key is given for alice and bob: each person needs keys of their own"],
    ),
    "one key for a person and without a name": (
        lambda v: v.update(operators=[{"name": "bob", "keys": [f"{KEY} at work"], "role": "jump"}, KEY]),
        ["idr: operators: one key is given for bob and the account idr: each person needs keys of their own"],
    ),
    "a short stack secret": (
        lambda v: v.update(stackSecret="hunter2"),
        ["idr:stackSecret: needs 32 random characters or more; make one with: openssl rand -hex 32"],
    ),
    "a release name with a dash": (
        lambda v: v["releases"].update({"prod-1": release(v)}),
        [
            "idr:releases.prod-1.[key]: must be lower-case letters and digits, a letter first, at most 20 (given: 'prod-1')"
        ],
    ),
    "a sum that is none": (
        lambda v: v["omero"].update(server={"url": "https://example.org/a.zip", "sha256": "abc"}),
        ["idr:omero.server.sha256: must be the 64 hexadecimal digits of a SHA-256 sum (given: 'abc')"],
    ),
    "a node key that is no setting": (
        lambda v: node(v, "redis").update(flavour="local.small"),
        ["idr:releases.demo1.nodes.redis.flavour: is not a setting"],
    ),
    "a release key that is no setting": (
        lambda v: release(v).update(cdir="10.0.0.0/24"),
        ["idr:releases.demo1.cdir: is not a setting"],
    ),
    "a volume key that is no setting": (
        lambda v: node(v, "database")["volumes"]["db"].update(size=1),
        ["idr:releases.demo1.nodes.database.volumes.db.size: is not a setting"],
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
    "a volume of no size": (
        lambda v: node(v, "database")["volumes"]["db"].update(sizeGib=0),
        ["idr:releases.demo1.nodes.database.volumes.db.sizeGib: must be at least 1 (given: 0)"],
    ),
    "a volume without size": (
        lambda v: node(v, "database")["volumes"].update(db={}),
        ["idr:releases.demo1.nodes.database.volumes.db.sizeGib: is required"],
    ),
    "a negative count": (
        lambda v: node(v, "proxy").update(count=-1),
        ["idr:releases.demo1.nodes.proxy.count: must be at least 1 (given: -1)"],
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
    "an affinity that is none": (
        lambda v: node(v, "proxy").update(count=2, antiAffinity="firm"),
        ["idr:releases.demo1.nodes.proxy.antiAffinity: must be one of 'soft', 'hard' (given: 'firm')"],
    ),
    "a boot volume of no size": (
        lambda v: node(v, "redis").update(bootVolumeGib=0),
        ["idr:releases.demo1.nodes.redis.bootVolumeGib: must be at least 1 (given: 0)"],
    ),
    "a heap over memory": (
        lambda v: node(v, "omeroreadwrite").update(heapMib=3000),
        [
            "idr: releases.demo1.nodes.omeroreadwrite: its services take 3600 MiB (heapMib, webWorkers of 150 MiB each), its flavor 'local.medium' has 2048"
        ],
    ),
    "workers over memory": (
        lambda v: node(v, "omeroreadwrite").update(webWorkers=40),
        [
            "idr: releases.demo1.nodes.omeroreadwrite: its services take 6767 MiB (heapMib, webWorkers of 150 MiB each), its flavor 'local.medium' has 2048"
        ],
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
    "a rebuild of a node that is none": (
        lambda v: release(v).update(rebuild={"redsi": 2}),
        ["idr:releases.demo1: rebuild names 'redsi', which is not a node; did you mean 'redis'?"],
    ),
    "a rebuild number of nought": (
        lambda v: release(v).update(rebuild={"redis": 0}),
        ["idr:releases.demo1.rebuild.redis: must be at least 1 (given: 0)"],
    ),
    "releases that overlap": (
        lambda v: v["releases"].update(demo2=copy.deepcopy(release(v))),
        ["idr: releases.demo2.cidr 10.130.1.0/24 overlaps releases.demo1.cidr 10.130.1.0/24"],
    ),
    "a storage network over a release": (
        lambda v: v.update(storageNetwork={"name": "nfs", "cidr": "10.130.1.128/25"}),
        ["idr: storageNetwork.cidr 10.130.1.128/25 overlaps releases.demo1.cidr 10.130.1.0/24"],
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
    "no distribution": (lambda v: v.pop("omero"), ["idr:omero: is required"]),
    "visitors of another kind": (
        lambda v: v.update(visitors="members"),
        ["idr:visitors: must be one of 'public', 'login' (given: 'members')"],
    ),
    "a published password where users log in": (
        lambda v: v.update(visitors="login", publicPassword="public"),
        ["idr: publicPassword: with visitors: login there is no user `public`; remove it"],
    ),
    "users who log in to a release that only reads": (
        lambda v: (v.update(visitors="login"), node(v, "omeroreadwrite").update(roles=["omero-readonly", "web"])),
        [
            "idr: releases.demo1: visitors: login needs a node with the role omero-readwrite, since users write",
            "idr: releases.demo1: visitors: login: users write, so all of them use the read-write server; remove the role omero-readonly",
        ],
    ),
    "a cache to warm that no visitors share": (
        lambda v: (
            v.update(visitors="login"),
            release(v)["nodes"].update(management={"roles": ["management"], "flavor": "local.small"}),
        ),
        [
            "idr: releases.demo1: visitors: login: the pre-warm fills a cache that all visitors share, and there is none; remove the role management"
        ],
    ),
    "no connections": (
        lambda v: v["omero"].update(poolSize=0),
        ["idr:omero.poolSize: must be at least 1 (given: 0)"],
    ),
    "a rotation of nought": (
        lambda v: v.update(rotations={"ssh/deploy": 0}),
        ["idr:rotations.ssh/deploy: must be at least 1 (given: 0)"],
    ),
    "a yes that is none": (
        lambda v: v.update(protectData="maybe"),
        ["idr:protectData: must be true or false (given: 'maybe')"],
    ),
    "a password": (
        lambda v: v.update(databasePassword="hunter2hunter2"),
        ["idr:databasePassword: passwords are derived from idr:stackSecret, none is written down; remove it"],
    ),
    "a private key in the plain": (
        lambda v: v.update(certificate={"certificate": "PEM", "key": "PEM"}),
        ["idr:certificate: is in plain text; keep it with: pulumi config set --secret --path idr:certificate.key"],
    ),
    "an authority without TLS": (
        lambda v: v.update(acme={"directory": "http://acme.example.org/"}),
        [
            "idr:acme.directory: must be an address as in https://acme.example.org/directory (given: 'http://acme.example.org/')"
        ],
    ),
    "an address for mail that is none": (
        lambda v: v.update(acme={"email": "operators"}),
        ["idr:acme.email: must be an address as in operators@example.org (given: 'operators')"],
    ),
    "a list for a mapping": (
        lambda v: v.update(flavors=["local.small"]),
        ["idr:flavors: must be a mapping of keys to values"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_setting_is_named_with_file_key_and_reason(name: str) -> None:
    change, messages = BAD[name]
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len(BAD) >= 60
