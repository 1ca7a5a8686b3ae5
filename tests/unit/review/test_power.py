"""The people, networks and programs that a change gives power, on recorded previews and on variations of them."""

import json
from typing import Any

import pytest

from idr.review import rules
from idr.review.access import FileChange, KeyChange
from idr.review.power import power_changes
from idr.review.preview import Preview, read
from idr.review.rules import Change
from idr.review.summary import Topic, summarize
from model.role_description import FOLDER
from tests.unit.review.test_review import raw

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINb8hShqOQY992ABkcRYTAsffyhcj03PJsMOYlZ4a98s"


def varied(**inputs: Any) -> Preview:
    """Return the preview that adds an operator, with other inputs of the disclosure after the change."""
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    step["newState"]["inputs"] = {**step["oldState"]["inputs"], **inputs}
    return read(json.dumps(raw_preview))


def broken(preview: Preview) -> list[str]:
    return [breach.rule for breach in rules.check(Change(preview))]


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
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    step["oldState"]["inputs"]["flows"] = [flow]
    step["newState"]["inputs"]["flows"] = [{**flow, "why": "another"}]
    assert power_changes(read(json.dumps(raw_preview))).opened == ()


def test_a_flow_that_is_opened_to_more_accounts_is_a_new_one() -> None:
    flow = {"from": "node", "to": "world", "port": "tcp 443", "users": "root, _apt", "why": "packages"}
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    step["oldState"]["inputs"]["flows"] = [flow]
    step["newState"]["inputs"] = {**step["oldState"]["inputs"], "flows": [{**flow, "users": ""}]}
    preview = read(json.dumps(raw_preview))
    changes = power_changes(preview)
    assert [str(one) for one in changes.opened] == ["tcp 443 from node to world"]
    assert [str(one) for one in changes.closed] == ["tcp 443 from node to world for root, _apt alone"]
    assert broken(preview) == ["flow-outside"]


@pytest.mark.parametrize(
    ("before", "after", "breach_line"),
    [
        ("login", None, "everybody sees what OMERO's user public may see"),
        (None, "login", "only who has an account sees anything, and may write"),
        ("login", "login", None),
        (None, None, None),
    ],
)
def test_who_sees_the_data_is_reported_and_breaks_a_rule(
    before: str | None, after: str | None, breach_line: str | None
) -> None:
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    for state, visitors in ((step["oldState"], before), (step["newState"], after)):
        state["inputs"] = inputs | ({"visitors": visitors} if visitors else {})
    preview = read(json.dumps(raw_preview))
    lines = [line.text for line in summarize(preview, "ebi").lines if line.topic == Topic.VISITORS]
    assert lines == ([breach_line] if breach_line else [])
    assert broken(preview) == (["visitors-changed"] if breach_line else [])


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


def test_every_module_that_renders_gives_access() -> None:
    modules = {file.name for file in FOLDER.glob("*.py")} - {"__init__.py", "disclosure.py"}
    assert {"frontend.py", "user_data.py"} <= modules
    assert {name for name in modules if not FileChange(f"{FOLDER.name}/{name}", "changed").is_access} == set()


def disclosed_in(case: str, state: str) -> dict[str, Any]:
    """Return a recorded preview without the disclosure's `state`."""
    raw_preview = raw(case)
    for step in raw_preview["steps"]:
        if "Disclosure" in step["urn"]:
            step["op"] = {"oldState": "create", "newState": "delete"}[state]
            del step[state]
    raw_preview["changeSummary"] = {}
    return raw_preview


def test_a_stack_of_an_earlier_program_cannot_hide_an_operator() -> None:
    preview = read(json.dumps(disclosed_in("operator-added", "oldState")))
    breaches = [breach for breach in rules.check(Change(preview)) if breach.rule == "operator-added"]
    assert len(breaches) == 2
    assert all("who could before is not recorded" in breach.text for breach in breaches)


def test_a_program_that_discloses_nothing_any_more_breaks_a_rule() -> None:
    assert broken(read(json.dumps(disclosed_in("operator-added", "newState")))) == ["power-withheld"]


def test_the_first_update_says_who_may_log_in_and_breaks_nothing() -> None:
    raw_preview = raw("operator-added")
    for step in raw_preview["steps"]:
        step["op"] = "create"
        step.pop("oldState", None)
    raw_preview["changeSummary"] = {}
    preview = read(json.dumps(raw_preview))
    assert len(power_changes(preview).joined) == 2
    assert broken(preview) == []


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
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    for state, cloud in (("oldState", before), ("newState", after)):
        step[state]["inputs"] = inputs if cloud is None else {**inputs, "cloud": cloud}
    preview = read(json.dumps(raw_preview))
    assert [line.text for line in summarize(preview, "local").lines if line.topic == Topic.CLOUD] == expected
    assert broken(preview) == ["cloud-changed"] * len(expected)


def disclosing(before: dict[str, Any], after: dict[str, Any]) -> Preview:
    """Return a preview that changes only what the program discloses."""
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    step["oldState"]["inputs"], step["newState"]["inputs"] = {**inputs, **before}, {**inputs, **after}
    return read(json.dumps(raw_preview))


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


def test_a_key_of_omeros_configuration_is_a_line_and_a_rule_where_it_gives_power() -> None:
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    access, harmless = "omero.policy.binary_access", "omero.web.page_size"
    step["oldState"]["inputs"] = {**inputs, "omero": {access: {"a": "1", "b": "1", "c": "1"}, harmless: {"a": "1"}}}
    step["newState"]["inputs"] = {**inputs, "omero": {access: {"a": "2", "b": "1", "d": "1"}, harmless: {"a": "2"}}}
    preview = read(json.dumps(raw_preview))
    lines = [line.text for line in summarize(preview, "local").lines if line.topic == Topic.OMERO]
    assert lines == [
        f"{access} is changed on a",
        f"{access} is removed on c",
        f"{access} is set on d",
        f"{harmless} is changed on a",
    ]
    assert broken(preview) == ["access-changed"] * 3
    step["newState"]["inputs"]["omero"][access] = step["oldState"]["inputs"]["omero"][access]
    assert broken(read(json.dumps(raw_preview))) == []
