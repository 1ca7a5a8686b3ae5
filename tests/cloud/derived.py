"""Every secret of a stack's machines and settings, and its forms in texts that must not have it."""

import base64
from dataclasses import dataclass, field
from functools import cached_property

from cloudinit import render, user_data
from model.certificates import Certificate
from model.openssh import SshKey
from model.plan import Node, Plan
from model.secrets import Secrets

# These lines of a key file hold bytes of the private key; all others are public or the same in every key.
OPENSSH_PRIVATE = slice(3, 5)
PKCS8_PRIVATE = slice(1, 3)


@dataclass(frozen=True)
class Recording(Secrets):
    """Derives secrets as the stack does, and records each by its name."""

    given: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def password(self, name: str) -> str:
        """Derive a password and record it."""
        value = super().password(name)
        self.given[f"password/{name}"] = (value,)
        return value

    def ssh_key(self, name: str, rotation: int | None = None) -> SshKey:
        """Derive a key and record it."""
        key = super().ssh_key(name, rotation)
        self.given[f"ssh/{name}/{rotation or ''}"] = tuple(key.private.splitlines()[OPENSSH_PRIVATE])
        return key

    def certificate(self, name: str, hosts: tuple[str, ...]) -> Certificate:
        """Derive a certificate and record it."""
        pair = super().certificate(name, hosts)
        self.given[f"tls/{name}"] = tuple(pair.key.splitlines()[PKCS8_PRIVATE])
        return pair

    @cached_property
    def authority(self) -> Certificate:
        """Derive the authority and record it."""
        pair = super().authority
        self.given["ca"] = tuple(pair.key.splitlines()[PKCS8_PRIVATE])
        return pair


def of_plan(plan: Plan, secrets: Secrets) -> dict[str, tuple[str, ...]]:
    """Return all secrets in bootstraps and bundles of a plan, and the stack secret."""
    recording = Recording(secrets.stack, secrets.stack_secret, secrets.rotations)
    for node in plan.nodes:
        user_data.bootstrap(node, plan, recording)
        render.bundle(node, plan, recording, _volumes(node))
    return {"the stack secret": (secrets.stack_secret,), **recording.given}


def _volumes(node: Node) -> dict[str, str]:
    return {volume.purpose: "0" * 36 for volume in node.volumes}


def forms(value: str) -> tuple[str, ...]:
    """Return the forms of a value: itself, and its base64 inside a longer text, which may begin at three offsets."""
    encoded = (base64.b64encode(b"\0" * shift + value.encode()).decode() for shift in range(3))
    # Without the characters that neighbouring bytes change.
    return (value, *(text[4:-4] for text in encoded))


def names_in(text: str, secrets: dict[str, tuple[str, ...]]) -> set[str]:
    """Return the names of the secrets that a text holds, in any form."""
    return {name for name, values in secrets.items() if any(form in text for value in values for form in forms(value))}
