"""Disclosure: what a reviewer must know of the nodes' configuration, in plain text beside the secret bundles."""

import pulumi
from pulumi import ResourceOptions
from pulumi.runtime.config import is_config_secret

from cloudinit.disclosure import disclosure
from model.plan import Plan
from model.secrets import Secrets

PLACES = ("authUrl", "cacertFile", "cloud", "endpointOverrides")
"""The provider's settings that say where the cloud is, and by which certificate it is known."""


def _cloud() -> dict[str, str]:
    """The provider's settings that say which cloud it is, without those that are encrypted in the stack file."""
    keys = {name: f"openstack:{name}" for name in PLACES}
    values = {name: pulumi.runtime.get_config(key) for name, key in keys.items() if not is_config_secret(key)}
    return {name: str(value) for name, value in values.items() if value}


class Disclosure(pulumi.ComponentResource):
    """No object of the cloud: its inputs are kept in the state, so a preview shows them before and after a change.

    Outputs are not enough: a preview as JSON shows only the previous ones.
    """

    def __init__(self, plan: Plan, secrets: Secrets, opts: ResourceOptions | None = None) -> None:
        verifies_cloud = pulumi.runtime.get_config("openstack:insecure") in (None, "false")
        inputs = disclosure(plan, secrets, verifies_cloud=verifies_cloud, cloud=_cloud())
        super().__init__("idr:deployment:Disclosure", plan.stack, inputs, opts)
        self.register_outputs({})
