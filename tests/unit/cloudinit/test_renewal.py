"""The configuration of nodes while a new stack secret replaces a former one."""

import hashlib
import json
from dataclasses import replace

from cloudinit import render
from cloudinit.disclosure import disclosure
from harness import rendered, stacks
from model.secrets import Secrets

BEFORE = Secrets("local", "the former stack secret, of tests alone")
AFTER = Secrets("local", "the present stack secret, of tests alone")
MEANWHILE = replace(AFTER, previous=BEFORE)
PLAN = stacks.plan_of("local")
CERTIFICATES = "/etc/idr/ca.crt"
KEYS = "/etc/ssh/authorized_keys/idr"
PASSED_ON = "/etc/ssh/authorized_keys/jump"
USERS = "demo1-redis /etc/redis/users.acl"
SERVERS = ("/etc/idr/metrics", "/etc/idr/omero", "/etc/idr/web", "/etc/postgresql/15/main", "/etc/redis")


def texts(secrets: Secrets) -> dict[str, str]:
    return rendered.texts(PLAN, secrets)


def test_every_node_trusts_both_and_then_the_present_one_alone() -> None:
    meanwhile, after = texts(MEANWHILE), texts(AFTER)
    for node in PLAN.nodes:
        keys, certificates = f"{node.name} {KEYS}", f"{node.name} {CERTIFICATES}"
        for key in (BEFORE.deploy_keys()[0], *AFTER.deploy_keys()):
            assert key.public in meanwhile[keys]
        assert meanwhile[certificates] == AFTER.authority.certificate + BEFORE.authority.certificate
        assert after[certificates] == AFTER.authority.certificate
        assert BEFORE.deploy_keys()[0].public not in after[keys]


def test_redis_takes_both_passwords_and_everything_else_the_present_one() -> None:
    former, present = (hashlib.sha256(one.password("demo1/redis").encode()).hexdigest() for one in (BEFORE, AFTER))
    visitors = texts(MEANWHILE)[USERS].splitlines()[0]
    assert visitors.startswith(f"user default on #{present} #{former} ~:1:* ")
    assert texts(AFTER)[USERS].splitlines()[0] == visitors.replace(f"#{former} ", "")


SIGNED = {
    *(f"{folder}/server.{kind}" for folder in SERVERS for kind in ("crt", "key")),
    *(f"/etc/nginx/tls/given/{name}.pem" for name in ("fullchain", "privkey")),
}


def test_what_differs_from_the_state_afterwards_is_only_who_is_trusted_and_who_signed() -> None:
    meanwhile, after = texts(MEANWHILE), texts(AFTER)
    differing = {name.partition(" ")[2] for name in after if after[name] != meanwhile[name]}
    # `bootstrap` accepts both deploy keys on a server created meanwhile; the outputs have both authorities.
    assert differing == {"", "bootstrap", CERTIFICATES, KEYS, PASSED_ON, "/etc/redis/users.acl", *SIGNED}


def test_a_server_that_is_created_meanwhile_has_its_own_host_key() -> None:
    bootstrap = texts(MEANWHILE)["demo1-redis bootstrap"]
    assert AFTER.ssh_key("host/demo1-redis").public in bootstrap
    assert BEFORE.ssh_key("host/demo1-redis").public not in bootstrap
    assert BEFORE.deploy_keys()[0].public in bootstrap


def test_a_renewal_is_disclosed_by_public_keys_alone() -> None:
    assert "renewal" not in disclosure(PLAN, AFTER, verifies_cloud=True)
    disclosed = disclosure(PLAN, MEANWHILE, verifies_cloud=True)["renewal"]
    assert disclosed == {
        "former": f"{BEFORE.deploy_keys()[0].public} idr-deploy",
        "present": f"{AFTER.deploy_keys()[0].public} idr-deploy",
    }


def test_bundles_are_json_and_name_no_secret_of_before() -> None:
    former = {BEFORE.password(f"demo1/{name}") for name in ("redis", "redis/operator", "database/omero", "omero/root")}
    for node in PLAN.nodes:
        ids = {volume.purpose: "0" * 36 for volume in node.volumes}
        text = render.bundle(node, PLAN, MEANWHILE, ids)
        assert json.loads(text)["node"] == node.name
        assert not [password for password in former if password in text]
