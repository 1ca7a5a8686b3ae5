"""Summary and guard rails on previews of the real engine, one change each.

Volumes, ports and releases: two releases on the local cloud. People and power: one release on the fake cloud. The
previews in `previews` were made with `pulumi preview --json --show-sames` and cut down to what a review reads; what the
whole ones said was the same. `golden` has what a reviewer is told.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from idr.resources import SHARE, VOLUME
from idr.review import render, rules
from idr.review.preview import Preview, PreviewError, read
from idr.review.rules import Change
from idr.review.secrets import SHOWN, redacted
from idr.review.summary import summarize

HERE = Path(__file__).parent
CASES = sorted(file.stem for file in (HERE / "previews").glob("*.json"))


def recorded(case: str) -> Preview:
    return read((HERE / "previews" / f"{case}.json").read_text())


def raw(case: str) -> dict[str, Any]:
    raw_preview: dict[str, Any] = json.loads((HERE / "previews" / f"{case}.json").read_text())
    return raw_preview


def broken(preview: Preview) -> set[str]:
    return {breach.rule for breach in rules.check(Change(preview))}


def report_of(case: str) -> str:
    preview = recorded(case)
    return render.text(summarize(preview, "local"), rules.check(Change(preview)))


def test_every_rule_is_in_a_test() -> None:
    tests = "".join(file.read_text() for file in HERE.glob("test_*.py"))
    assert [name for name in rules.NAMES if f'"{name}"' not in tests] == []


@pytest.mark.parametrize("case", CASES)
def test_a_reviewer_gets_what_the_golden_text_says(case: str) -> None:
    assert report_of(case) == (HERE / "golden" / f"{case}.txt").read_text()


def test_the_comment_says_the_same_and_which_rule_was_lifted() -> None:
    preview = recorded("live-release-removed")
    breaches = rules.check(Change(preview), {"live-release-removed"})
    comment = render.markdown(summarize(preview, "local"), breaches)
    assert comment == (HERE / "golden" / "live-release-removed.md").read_text()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("nothing", set()),
        ("node-added", set()),
        ("node-rebuilt", set()),
        ("live-switched", set()),
        ("volume-grown", set()),
        ("volume-shrunk", {"data-volume-shrunk"}),
        ("volume-unprotected", {"data-volume-unprotected"}),
        ("volume-unprotected-and-replaced", {"data-volume-unprotected", "data-volume-replaced"}),
        ("cidr-changed", {"node-moved"}),
        ("node-renamed", {"node-moved"}),
        ("port-opened", {"world-open-port"}),
        ("live-release-removed", {"live-release-removed", "data-volume-deleted"}),
        ("old-release-removed-while-protected", {"data-volume-deleted"}),
        ("user-data-in-plain-text", {"plain-text-secret"}),
        ("operator-added", {"operator-added"}),
        ("templates-changed", set()),
        ("access-changed", {"access-changed"}),
        ("check-changed", {"check-lifted"}),
        ("certificate-unchecked", {"check-lifted"}),
        ("flows-added", {"flow-outside"}),
        ("disclosure-withheld", {"power-withheld"}),
        ("command-changed", {"command-changed"}),
    ],
)
def test_exactly_these_guard_rails_fail(case: str, expected: set[str]) -> None:
    assert broken(recorded(case)) == expected


def test_what_is_worst_is_shown_first() -> None:
    lines = report_of("live-release-removed")
    order = [lines.index(word) for word in ("FAIL", "Data at stake:", "Live:", "Deleted:", "Changed in place:")]
    assert order == sorted(order)


def test_each_mistake_of_a_stack_file_is_a_line() -> None:
    failed = raw("nothing")
    mistakes = "error: Pulumi.lab.yaml: idr:a: is required\nPulumi.lab.yaml: idr:b: is not a setting"
    failed["diagnostics"] = [{"severity": "error", "message": mistakes}]
    assert read(json.dumps(failed)).errors == (
        "error: Pulumi.lab.yaml: idr:a: is required",
        "Pulumi.lab.yaml: idr:b: is not a setting",
    )


def test_a_preview_without_unchanged_resources_is_refused_as_it_hides_a_volume_that_lost_its_protection() -> None:
    blind = raw("volume-unprotected")
    blind["steps"] = [step for step in blind["steps"] if step["op"] != "same"]
    with pytest.raises(PreviewError, match="--show-sames"):
        read(json.dumps(blind))


@pytest.mark.parametrize("text", ["", "error: no stack selected", "{}", "[]"])
def test_what_is_no_preview_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(PreviewError) as error:
        read(text)
    assert len(str(error.value).splitlines()) == 1


def test_a_replacement_shown_in_three_parts_is_one_replacement() -> None:
    parts = raw("volume-unprotected-and-replaced")
    parts["steps"] = [
        {**step, "op": op}
        for step in parts["steps"]
        for op in (("delete-replaced", "replace", "create-replacement") if step["op"] == "replace" else (step["op"],))
    ]
    preview = read(json.dumps(parts))
    texts = [breach.text for breach in rules.check(Change(preview)) if breach.rule == "data-volume-replaced"]
    assert len(texts) == 2
    assert summarize(preview, "local").counts == summarize(recorded("volume-unprotected-and-replaced"), "local").counts


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("volume-") and case != "volume-grown"])
def test_shares_are_guarded_as_volumes_are(case: str) -> None:
    text = (HERE / "previews" / f"{case}.json").read_text().replace(VOLUME, SHARE)
    share = read(text)
    assert broken(share) == broken(recorded(case)) != set()
    assert "share " in render.text(summarize(share, "local"), ())


def opened(cidr: str | None, **more: object) -> Preview:
    """Return the preview that opens a port, with another source of the rule."""
    raw_preview = raw("port-opened")
    for step in raw_preview["steps"]:
        if step["op"] == "create":
            step["newState"]["inputs"] = {**step["newState"]["inputs"], "remoteIpPrefix": cidr, **more}
    return read(json.dumps(raw_preview))


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "::/0", None])
def test_however_it_is_written_the_world_is_the_world(cidr: str | None) -> None:
    assert broken(opened(cidr)) == {"world-open-port"}


@pytest.mark.parametrize("preview", [opened("134.36.0.0/16"), opened(None, remoteGroupId="a-group")])
def test_a_port_for_one_network_or_group_is_not_open_to_the_world(preview: Preview) -> None:
    assert broken(preview) == set()


def test_an_egress_rule_opens_nothing() -> None:
    assert broken(opened("0.0.0.0/0", direction="egress")) == set()


def test_a_new_release_opens_nothing_that_another_one_has_not_open() -> None:
    raw_preview = raw("nothing")
    for step in raw_preview["steps"]:
        if "demo2-" in step["urn"]:
            step["op"] = "create"
            del step["oldState"]
    raw_preview["changeSummary"] = {}
    assert broken(read(json.dumps(raw_preview))) == set()


def test_the_first_update_of_a_stack_opens_its_ports_and_is_reported_so() -> None:
    raw_preview = raw("nothing")
    for step in raw_preview["steps"]:
        step["op"] = "create"
        del step["oldState"]
    raw_preview["changeSummary"] = {}
    preview = read(json.dumps(raw_preview))
    assert broken(preview) == set()
    assert "tcp 443 of proxy is opened" in [line.text for line in summarize(preview, "local").lines]
    assert "demo1 goes live" in [line.text for line in summarize(preview, "local").lines]


def test_a_public_address_that_is_given_back_is_a_breach() -> None:
    raw_preview = raw("nothing")
    for step in raw_preview["steps"]:
        if step["urn"].endswith("FloatingIp::public"):
            step["op"] = "delete"
            del step["newState"]
    raw_preview["changeSummary"] = {}
    assert broken(read(json.dumps(raw_preview))) == {"public-address-lost"}


ROUTER_URN = "urn:pulumi:local::idr::openstack:networking/router:Router::local"
OWN = {"propertyDependencies": {"routerId": [ROUTER_URN]}}
THEIRS = {"inputs": {"routerId": "7d5ec5a5-2a0e-4bd5-8bd2-3f9a5a8f6a01"}}
ANOTHER = {"inputs": {"routerId": "0c9e5f0e-5a6b-4a0b-9b1c-7ad0f5c2ee02"}}
UNSEEN = {"inputs": {"routerId": "(the id of theirs)"}}


def with_step(**step: Any) -> Preview:
    return read(json.dumps(raw("nothing") | {"steps": [*raw("nothing")["steps"], step], "changeSummary": {}}))


@pytest.mark.parametrize(
    ("before", "after", "is_moved"),
    [
        (THEIRS, OWN, True),
        (OWN, THEIRS, True),
        (THEIRS, ANOTHER, True),
        (OWN, OWN, False),
        (THEIRS, UNSEEN, False),
    ],
)
def test_networks_that_go_to_another_router_are_a_breach(
    before: dict[str, Any], after: dict[str, Any], *, is_moved: bool
) -> None:
    urn = "urn:pulumi:local::idr::openstack:networking/routerInterface:RouterInterface::idr-local-demo1"
    preview = with_step(op="replace", urn=urn, oldState=before, newState=after)
    assert broken(preview) == ({"router-lost"} if is_moved else set())


def test_the_end_of_the_stacks_router_is_a_breach() -> None:
    assert broken(with_step(op="delete", urn=ROUTER_URN, oldState={})) == {"router-lost"}


PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"idr:stackSecret": "0123456789abcdef"}, "idr:stackSecret"),
        ({"openstack:password": "hunter2"}, "openstack:password"),
        ({"openstack:applicationCredentialSecret": "x"}, "openstack:applicationCredentialSecret"),
        ({"idr:certificate": {"certificate": "PEM", "key": PRIVATE_KEY}}, "idr:certificate.key"),
        ({"idr:s3Mounts": [{"accessKey": "A", "secretKey": "hunter2"}]}, "idr:s3Mounts.0.secretKey"),
        ({"idr:proxies": {"http": "http://me:pa$$word@proxy.example.org:3128"}}, "idr:proxies.http"),
    ],
)
def test_a_secret_in_plain_text_in_the_stack_file_is_named_and_not_repeated(
    config: dict[str, Any], setting: str
) -> None:
    (breach,) = rules.check(Change(recorded("nothing"), {"config": config}))
    assert breach.rule == "plain-text-secret"
    assert f"stack file: {setting} " in breach.text
    assert str(next(iter(config.values()))) not in breach.text


def test_encrypted_and_ordinary_settings_are_no_secrets_in_plain_text() -> None:
    config = {
        "idr:stackSecret": {"secure": "v1:abc"},
        "idr:certificate": {"certificate": "PEM", "key": {"secure": "v1:def"}},
        "idr:rotations": {"password/prod130/redis": 2},
        "openstack:applicationCredentialId": "an-id",
        "idr:operators": ["ssh-ed25519 AAAA somebody"],
        "idr:publicPassword": "public",
        "idr:s3Mounts": [{"accessKey": "A", "secretKey": {"secure": "v1:jkl"}}],
        "idr:proxies": {"http": "http://me@proxy.example.org:3128", "packages": {"secure": "v1:ghi"}},
    }
    assert rules.check(Change(recorded("nothing"), {"config": config})) == ()


def test_a_preview_that_is_kept_shows_no_secret_and_breaks_the_same_rules() -> None:
    shown = raw("user-data-in-plain-text")
    shown["config"]["idr:proxies"] = '{"http": "http://me:pa55word@proxy.example.org:3128"}'
    shown["steps"][-1]["newState"].setdefault("inputs", {})["anything"] = PRIVATE_KEY
    kept = json.dumps(redacted(shown))
    assert SHOWN in kept
    for secret in ("pa55word", "MC4CAQAwBQYDK2Vw", "#cloud-config"):
        assert secret in json.dumps(shown)
        assert secret not in kept
    assert rules.check(Change(read(kept))) == rules.check(Change(read(json.dumps(shown))))


@pytest.mark.parametrize("case", CASES)
def test_a_preview_without_readable_secrets_is_kept_as_it_is(case: str) -> None:
    changed = redacted(raw(case)) != raw(case)
    assert changed == (case == "user-data-in-plain-text")
