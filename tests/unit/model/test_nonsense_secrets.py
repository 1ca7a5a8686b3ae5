"""Secrets, keys and encrypted values that do not exist, are weak, or make no sense."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness import rendered, stacks
from model.field_types import SEALED
from model.reading import Source
from model.secrets import Secrets, secret_names
from tests.unit.model.mistakes import GOOD_KEY, Values, accepted, only

KEY_BEGIN = "-----BEGIN {}PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("password/demo1/redsi", "did you mean 'password/demo1/redis'?"),
        ("password/demo2/redis", "did you mean 'password/demo1/redis'?"),
        ("ssh/deploi", "did you mean 'ssh/deploy'?"),
        ("tls/demo1-prox", "did you mean 'tls/demo1-proxy'?"),
        ("CA", "there are: ca, password/demo1/database/omero"),
    ],
)
def test_a_rotation_of_no_secret_is_named(name: str, end: str) -> None:
    message = only(lambda v: v.update(rotations={name: 2}))
    assert message.startswith(f"idr:rotations: '{name}' is the name of no secret of this stack; {end}")


def test_every_name_that_is_derived_can_be_rotated_and_no_other() -> None:
    asked: set[str] = set()

    class Asked(Secrets):
        def derive(self, name: str, length: int, rotation: int | None = None) -> bytes:
            asked.add(name)
            return super().derive(name, length, rotation)

    plan = stacks.plan_of("ebi")
    rendered.texts(plan, Asked("ebi", "a stack secret for tests"))
    # A certificate's serial number is not of its own: it is renewed with the certificate.
    assert {name for name in asked if not name.startswith("serial/")} == secret_names(plan)


def test_two_encrypted_entries_may_differ() -> None:
    accepted(operators=[SEALED, SEALED])


@pytest.mark.parametrize("path", [("flavors", "local.small", "vcpus"), ("bastion", "cidr"), ("omero", "distribution")])
def test_what_is_encrypted_and_no_secret_is_named_so(path: tuple[str, ...]) -> None:
    def seal(values: Values) -> None:
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = SEALED

    assert only(seal) == f"idr:{'.'.join(path)}: is encrypted, which only secrets may be: write it in plain text"


@pytest.mark.parametrize(
    "key",
    [
        "ssh-ed25519 hello",
        f"ssh-rsa {GOOD_KEY}",
        f"ssh-ed25519 {GOOD_KEY[:40]} folded",
        f"ssh-ed25519 {GOOD_KEY[:30]}= x",
        "ssh-rsa " + base64.b64encode(b"\0\0\0\7ssh-rsa\0\0\0\1").decode(),
        f"ssh-ed25519 {GOOD_KEY} a\rb",
        f"ssh-ed25519 {GOOD_KEY} a\x85b",
        f"ssh-ed25519 {GOOD_KEY} a\u2066b",
        KEY_BEGIN.format("OPENSSH ") + "\nc2VjcmV0",
    ],
)
def test_an_operators_key_is_a_key_and_what_is_none_is_not_repeated(key: str) -> None:
    message = only(lambda v: v.update(operators=[key]))
    assert message.startswith("idr:operators.0: must be ")
    assert not any(part in message for part in key.split()[1:] if len(part) > 4)


def test_a_weak_operators_key_is_refused() -> None:
    def key(bits: int) -> str:
        public = rsa.generate_private_key(65537, bits).public_key()
        return public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()

    assert "this RSA key has 1024 bits" in only(lambda v: v.update(operators=[key(1024)]))
    accepted(operators=[key(2048), f"ssh-ed25519 {GOOD_KEY}", f"ssh-ed25519 {GOOD_KEY} Zoë at work", SEALED])


@pytest.mark.parametrize("secret", ["x" * 64, "01234567" * 5, "0011" * 10, "short"])
def test_a_stack_secret_is_random(secret: str) -> None:
    source = Source("local", "Pulumi.local.yaml", encrypted=frozenset({"stackSecret"}))
    assert "idr:stackSecret: needs 32 random characters" in only(lambda v: v.update(stackSecret=secret), source)
