"""The ports of an NFS mount are open to the storage network, and to nothing else; impossible settings are refused."""

from typing import Any

import pytest

from harness import stacks
from model.firewall import NFS_PORT
from model.matrix import host_rules
from model.nfs import ports
from model.plan import Plan
from model.planning import plan
from model.reading import SettingsError, Source, parse
from model.roles import Role

VERSION_3 = [("tcp", 111), ("udp", 111), ("tcp", NFS_PORT), ("tcp", 20048), ("udp", 20048)]
NEEDED: dict[str, list[tuple[str, int]]] = {
    "ro": [("tcp", NFS_PORT)],
    "ro,nfsvers=4.2": [("tcp", NFS_PORT)],
    "ro,vers=4,port=2050": [("tcp", 2050)],
    "ro,v4": [("tcp", NFS_PORT)],
    "ro,sec=sys,proto=tcp": [("tcp", NFS_PORT)],
    "ro,noatime,nosuid,nodev,rsize=1048576,timeo=600,retrans=2,nconnect=4,lookupcache=positive": [("tcp", NFS_PORT)],
    "ro,nfsvers=3,nolock,mountport=20048": VERSION_3,
    "ro,vers=3,nolock,mountport=20048,timeo=14,intr": VERSION_3,
    "ro,v3,nolock,mountport=20048": VERSION_3,
    "nfsvers=3,nolock,port=2050,mountport=635": [("tcp", 111), ("udp", 111), ("tcp", 635), ("udp", 635), ("tcp", 2050)],
}
REFUSED = {
    "ro,vers=4.2,rw": "ro and rw contradict",
    "hard,soft": "soft and hard contradict",
    "ro,hard": "hard would hang OMERO while a server is away",
    "vers=3,nfsvers=4.2": "vers and nfsvers both say the version",
    "v3,vers=4.1": "v3 and vers both say the version",
    "ro,sec=krb5p": "sec=krb5p is not supported: nodes have no keys of Kerberos",
    "ro,proto=tcp6": "NFS over tcp6 is not supported",
    "vers=4.1,vers=4.2": "vers is given twice",
    "bind": "bind mounts no share of a server",
    "ro,nfsvers=3,nolock": "needs the port of the server's mountd, for the firewall: add mountport=PORT",
    "ro,nfsvers=3,mountport=20048": "with locks makes the server call back, which no rule allows: add nolock",
    "ro,nfsvers=2": "NFS version 2 is not supported",
    "ro,vers=5": "NFS version 5 is not supported",
    "ro,nfsvers=4.7": "NFS version 4.7 is not supported; use one of 3, 4, 4.0, 4.1, 4.2",
    "ro,nfsvers=3.1,nolock,mountport=20048": "NFS version 3.1 is not supported",
    "ro,proto=udp6": "NFS over udp6 is not supported",
    "ro,udp": "NFS over udp is not supported",
    "ro,proto=rdma": "NFS over rdma is not supported",
    "ro,port=0": "port=0 is no port",
    "nfsvers=3,nolock,mountport=auto": "mountport=auto is no port",
    "ro,nfsver=3": "'nfsver' is no option of nfs(5); correct it, or leave it out",
    "readonly": "'readonly' is no option of nfs(5)",
    "ro,timeo=6s": "timeo takes a whole number, as in timeo=600",
    "ro,rsize": "rsize takes a whole number, as in rsize=600",
    "ro,timeo=601": "timeo=601 would hang OMERO while a server is away; at most 600 (tenths of a second)",
    "ro,timeo=0": "timeo takes a number from 1, not 0",
    "ro,nconnect=17": "nconnect takes a number up to 16, not 17",
    "ro,nconnect=0": "nconnect takes a number from 1, not 0",
    "ro,nfsvers=4,minorversion=9": "minorversion takes a number up to 2, not 9",
    "ro,rsize=99999999999": "rsize takes a number up to 2147483647, not 99999999999",
    "ro,noauto": "noauto would leave the share away after a reboot; leave it out",
    "ro,bg": "bg would have systemd wait for ever; leave it out",
    "ro,xprtsec=tls": "xprtsec is not supported: nodes have no certificates for NFS; leave it out",
    "ro,lookupcache=some": "lookupcache is one of all, none, pos, positive, and not 'some'",
    "ro,retrans=11": "retrans=11 would hang OMERO while a server is away; at most 10 (tries)",
}


def mounted(options: str) -> Plan:
    values: dict[str, Any] = stacks.values("ebi")
    values["storageNetwork"] = {"name": "storage", "cidr": "172.16.0.0/16"}
    values["nfsMounts"] = [{"source": "nfs.example.org:/idr", "mount": "/idr", "options": options}]
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


@pytest.mark.parametrize("options", NEEDED)
def test_security_groups_and_host_firewall_open_what_the_options_need(options: str) -> None:
    stack_plan = mounted(options)
    rules = {(r.transport, r.port, r.group) for r in stack_plan.releases[0].rules if r.remote_cidr == "172.16.0.0/16"}
    groups = ("prod130-omero-readonly", "prod130-omero-readwrite")
    assert rules == {(transport, port, group) for transport, port in NEEDED[options] for group in groups}
    for node in stack_plan.nodes:
        out = {(a.transport, a.port) for a in host_rules(stack_plan, node).egress if "172.16.0.0/16" in a.peers}
        assert out == (set(NEEDED[options]) if node.storage_network else set())


def test_a_server_by_its_address_is_all_that_is_opened_where_no_storage_network_says_more() -> None:
    values: dict[str, Any] = stacks.values("ebi")
    version_3 = "nfsvers=3,nolock,mountport=20048"
    mounts = [
        ("192.0.2.7", "ro"),
        ("192.0.2.7", "ro,port=2050"),
        ("192.0.2.8", version_3),
        ("192.0.2.9", f"{version_3},mounthost=192.0.2.10"),
        ("nfs.example.org", "ro,port=2051"),
    ]
    values["storage"] = [
        {"kind": "nfs", "source": f"{host}:/idr", "mount": f"/idr/{number}", "options": options}
        for number, (host, options) in enumerate(mounts)
    ]
    stack_plan = plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")
    anywhere = {("0.0.0.0/0", *one) for one in [*VERSION_3, ("tcp", 2051)]}
    wanted = anywhere | {("192.0.2.8/32", *one) for one in VERSION_3}
    wanted |= {("192.0.2.7/32", "tcp", port) for port in (NFS_PORT, 2050)}
    for role in ("omero-readonly", "omero-readwrite"):
        rules = [rule for rule in stack_plan.releases[0].rules if rule.group == f"prod130-{role}"]
        assert {(r.remote_cidr, r.transport, r.port) for r in rules if r.why == "raw images"} == wanted
        for node in stack_plan.releases[0].with_role(Role(role)):
            out = [allow for allow in host_rules(stack_plan, node).egress if allow.why == "raw images"]
            assert {(peer, a.transport, a.port) for a in out for peer in a.peers} == wanted


def test_mounts_of_several_versions_need_all_of_it() -> None:
    assert ports(["ro", "ro,nfsvers=3,nolock,mountport=20048"]) == tuple(VERSION_3)


@pytest.mark.parametrize("options", REFUSED)
def test_what_cannot_work_is_refused_with_the_reason(options: str) -> None:
    with pytest.raises(SettingsError) as refused:
        mounted(options)
    assert REFUSED[options] in str(refused.value)
    assert "idr:nfsMounts.0: options: " in str(refused.value)


def test_a_server_by_its_address_is_in_the_storage_network() -> None:
    values: dict[str, Any] = stacks.values("ebi")
    values["storageNetwork"] = {"name": "storage", "cidr": "172.16.0.0/16"}
    for host, is_inside in (("172.16.3.1", True), ("nfs.example.org", True), ("192.0.2.7", False)):
        values["nfsMounts"] = [{"source": f"{host}:/idr", "mount": "/idr"}]
        if is_inside:
            parse(values, Source("ebi", "Pulumi.ebi.yaml"))
            continue
        with pytest.raises(SettingsError, match=r"nfsMounts\.0: 192\.0\.2\.7 is not in storageNetwork\.cidr"):
            parse(values, Source("ebi", "Pulumi.ebi.yaml"))
