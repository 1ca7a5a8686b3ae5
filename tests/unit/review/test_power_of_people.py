"""The people and secrets that a change gives power, on recorded previews and on variations of them."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from idr.review import rules
from idr.review.disclosed import fingerprint, person
from idr.review.power import power_changes
from idr.review.preview import Preview, read
from idr.review.rules import Change
from idr.review.summary import Topic, summarize
from model.secrets import Secrets
from tests.unit.review.test_power import KEY, broken, varied
from tests.unit.review.test_review import raw, recorded


def test_an_operator_is_called_as_ssh_keygen_does(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"{KEY} somebody at home\n")
    output = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], capture_output=True, text=True, check=True).stdout
    assert person(f"{KEY} somebody at home") == f"somebody at home ({output.split()[1]})"
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
"""A key that nobody else has."""
ROLES = {
    "operator": "can log in as root on every node",
    "curator": "can log in on read-write OMERO nodes and import there",
    "jump": "can pass connections on through the bastion",
}


def people(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Preview:
    """Return the preview that adds an operator, with these people before and after it instead."""
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    step["oldState"]["inputs"], step["newState"]["inputs"] = {**inputs, "people": before}, {**inputs, "people": after}
    return read(json.dumps(raw_preview))


def alice(role: str, *keys: str) -> dict[str, Any]:
    return {"name": "alice", "role": role, "keys": keys or [HERS]}


def breaches_and_lines(preview: Preview) -> tuple[list[str], list[str]]:
    """Return the breaches of `operator-added`, and the lines of the summary."""
    breaches = [breach.text for breach in rules.check(Change(preview)) if breach.rule == "operator-added"]
    return breaches, [line.text for line in summarize(preview, "local").lines if line.topic == Topic.PEOPLE]


@pytest.mark.parametrize("role", ROLES)
def test_a_new_person_is_named_with_role_and_fingerprint(role: str) -> None:
    who = f"alice, {role} ({fingerprint(HERS)})"
    assert breaches_and_lines(people([], [alice(role)])) == ([f"{who} {ROLES[role]}"], [f"{who} is added"])


def test_a_role_that_is_raised_breaks_a_rule_and_one_that_is_lowered_does_not() -> None:
    roles = ["jump", "curator", "operator"]
    for lower, higher in itertools.combinations(roles, 2):
        low, high = (f"alice, {role} ({fingerprint(HERS)})" for role in (lower, higher))
        raised = breaches_and_lines(people([alice(lower)], [alice(higher)]))
        assert raised == ([f"{high} {ROLES[higher]}"], [f"{high} is added", f"{low} is removed"])
        assert breaches_and_lines(people([alice(higher)], [alice(lower)])) == (
            [],
            [f"{low} is added", f"{high} is removed"],
        )


def test_another_key_of_a_known_person_breaks_a_rule() -> None:
    other = KEY.replace("Nb8h", "Nc8h")
    breaches, lines = breaches_and_lines(people([alice("jump")], [alice("jump", HERS, other)]))
    assert breaches == [f"alice, jump ({fingerprint(other)}) {ROLES['jump']}"]
    assert len(lines) == 1


def test_a_plain_key_that_gets_a_name_gives_nothing_new() -> None:
    preview = varied(operators=[], people=[alice("operator", plain_key())])
    breaches, lines = breaches_and_lines(preview)
    assert (breaches, len(lines)) == ([], 2)
    # And in the other direction.
    assert breaches_and_lines(people([alice("operator", plain_key())], []))[0] == []


def plain_key() -> str:
    """Return the operator's key of the recorded preview."""
    (step,) = (step for step in raw("operator-added")["steps"] if "Disclosure" in step["urn"])
    key: str = step["oldState"]["inputs"]["operators"][0]
    return key


def test_a_role_that_is_not_known_counts_as_the_highest() -> None:
    breaches, _ = breaches_and_lines(people([alice("operator")], [alice("wizard")]))
    assert breaches == [f"alice, wizard ({fingerprint(HERS)}) can do what the unknown role 'wizard' may"]


def deploy_key(text: str) -> str:
    return f"{Secrets('local', text).deploy_keys()[0].public} idr-deploy"


FORMER, PRESENT = deploy_key("the former one"), deploy_key("the present one")


def renewal_of(before: dict[str, str] | None, after: dict[str, str] | None) -> Preview:
    """Return the preview that adds an operator, with a renewal of the stack secret before and after it instead."""
    raw_preview = raw("operator-added")
    (step,) = (step for step in raw_preview["steps"] if "Disclosure" in step["urn"])
    inputs = step["oldState"]["inputs"]
    for state, renewal in (("oldState", before), ("newState", after)):
        step[state]["inputs"] = {**inputs, **({"renewal": renewal} if renewal else {})}
    return read(json.dumps(raw_preview))


def lines_of_the_renewal(preview: Preview) -> list[str]:
    return [line.text for line in summarize(preview, "local").lines if line.topic == Topic.RENEWAL]


def test_a_new_stack_secret_is_a_line_and_a_rule_of_its_own() -> None:
    preview = renewal_of(None, {"former": FORMER, "present": PRESENT})
    (line,) = lines_of_the_renewal(preview)
    assert line.startswith(f"a new one is trusted by every node (its deploy key: {person(PRESENT)})")
    assert broken(preview) == ["stack-secret-changed"]


def test_the_end_of_a_renewal_is_a_line_and_breaks_nothing() -> None:
    preview = renewal_of({"former": FORMER, "present": PRESENT}, None)
    assert lines_of_the_renewal(preview) == [
        f"the former one (its deploy key: {person(FORMER)}) is trusted no longer",
    ]
    assert broken(preview) == []


def test_a_renewal_that_goes_on_says_nothing_and_one_to_yet_another_secret_does() -> None:
    going_on = {"former": FORMER, "present": PRESENT}
    assert lines_of_the_renewal(renewal_of(going_on, going_on)) == []
    other = renewal_of(going_on, {"former": PRESENT, "present": deploy_key("a third one")})
    assert len(lines_of_the_renewal(other)) == 2
    assert broken(other) == ["stack-secret-changed"]


def test_who_leaves_breaks_no_rule_and_a_key_pair_of_the_cloud_is_somebody() -> None:
    assert broken(varied(operators=[])) == []
    assert broken(varied(keyPair="ops")) == ["operator-added"]
