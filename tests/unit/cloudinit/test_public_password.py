"""The public user's password is published: a setting that every node with OMERO uses, not a derived secret."""

import json

import pytest

from cloudinit import render
from harness import stacks
from model.plan import Plan
from tests.cloud import derived
from tests.unit.model.mistakes import mistakes

VOLUMES = {"db": "0" * 36, "data": "1" * 36, "nginxcache": "2" * 36}
GIVEN = "a.published-one~2"
PRIVATE = "institute"
"""The layout where users log in."""


def files(plan: Plan) -> dict[tuple[str, str], str]:
    """Return all files of all bundles, by node and path."""
    secrets = stacks.secrets_of(plan.stack)
    return {
        (node.name, entry["path"]): entry["content"]
        for node in plan.nodes
        for entry in json.loads(render.bundle(node, plan, secrets, VOLUMES))["files"]
    }


@pytest.mark.parametrize("stack", [stack for stack in stacks.LAYOUTS if stack != PRIVATE])
def test_another_password_reaches_everything_that_had_the_former(stack: str) -> None:
    plan = stacks.plan_of(stack)
    before, after = files(plan), files(stacks.with_settings(plan, public_password=GIVEN))
    changed = {key for key in after if after[key] != before.get(key)}
    assert {path for _, path in changed} >= {"/etc/idr/omero/public-password", "/opt/omero/web/config/idr.omero"}
    assert changed == {key for key, text in after.items() if GIVEN in text}


def test_where_users_log_in_it_reaches_nothing() -> None:
    after = files(stacks.with_settings(stacks.plan_of(PRIVATE), public_password=GIVEN))
    assert [key for key, text in after.items() if GIVEN in text] == []
    assert {text for (_, path), text in after.items() if path == "/etc/idr/omero/public-password"} == {"\n"}


def test_the_idrs_own_password_is_the_default() -> None:
    assert "config set -- omero.web.public.password public\n" in "".join(files(stacks.plan_of("ebi")).values())


@pytest.mark.parametrize("stack", stacks.STACK_FILES)
def test_no_secret_is_derived_for_the_public_user(stack: str) -> None:
    given = derived.of_plan(stacks.plan_of(stack), stacks.secrets_of(stack))
    assert [name for name in given if "public" in name] == []


@pytest.mark.parametrize("wrong", ["", "-dash", "with space", 'quo"te', "dollar$", "back\\slash", "ü", "x" * 65])
def test_a_password_that_some_reader_would_take_for_something_else_is_refused(wrong: str) -> None:
    (message,) = mistakes(lambda values: values.update(publicPassword=wrong))
    assert "idr:publicPassword: must be letters, digits, dots, dashes, underscores and tildes" in message
