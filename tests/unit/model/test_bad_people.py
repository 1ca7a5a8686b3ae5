"""People, visitors and secrets of a stack file that cannot be used."""

from collections.abc import Callable

import pytest

from harness import stacks
from tests.unit.model.mistakes import Bad, Values, each, mistakes, node, release

KEY = stacks.OPERATOR_KEY

BAD: Bad = {
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
            "idr:operators.2.shell: is not a setting; there are: keys, name, role",
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
                {"name": "alice", "keys": [stacks.NEW_OPERATOR], "role": "jump"},
            ]
        ),
        ["idr: operators: the name 'alice' is there twice"],
    ),
    "one key for two people": (
        lambda v: v.update(
            operators=[
                {"name": "bob", "keys": [f"{KEY} at work"], "role": "jump"},
                {"name": "alice", "keys": [stacks.NEW_OPERATOR, KEY], "role": "jump"},
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
    "a password": (
        lambda v: v.update(databasePassword="hunter2hunter2"),
        ["idr:databasePassword: passwords are derived from idr:stackSecret, none is written down; remove it"],
    ),
    "a private key in the plain": (
        lambda v: v.update(certificate={"certificate": "PEM", "key": "PEM"}),
        ["idr:certificate: is in plain text; keep it with: pulumi config set --secret --path idr:certificate.key"],
    ),
    "a rotation of nought": (
        lambda v: v.update(rotations={"ssh/deploy": 0}),
        ["idr:rotations.ssh/deploy: must be at least 1 (given: 0)"],
    ),
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
}


@pytest.mark.parametrize(("change", "messages"), each(BAD))
def test_it_is_named_with_file_key_and_reason(change: Callable[[Values], object], messages: list[str]) -> None:
    assert mistakes(change) == [f"Pulumi.local.yaml: {message}" for message in messages]
