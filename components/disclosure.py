"""Disclosure: information about the nodes' configuration for reviewers, in plain text beside the secret bundles."""

import pulumi
from pulumi import ResourceOptions
from pulumi.runtime.config import is_config_secret

from cloudinit.disclosure import disclosure
from model.plan import Plan
from model.secrets import Secrets

PLACES = ("authUrl", "cacertFile", "cloud", "endpointOverrides")
"""The provider's settings with the cloud's address and certificates."""


def _cloud() -> dict[str, str]:
    """Return the provider's settings that identify the cloud, without encrypted ones."""
    keys = {name: f"openstack:{name}" for name in PLACES}
    values = {name: pulumi.runtime.get_config(key) for name, key in keys.items() if not is_config_secret(key)}
    return {name: str(value) for name, value in values.items() if value}


class Disclosure(pulumi.ComponentResource):
    """A resource without object in the cloud. Its inputs are in the state, so a preview shows old and new values.

    Outputs are not enough: a preview as JSON shows only the old ones.
    """

    def __init__(self, plan: Plan, secrets: Secrets, opts: ResourceOptions | None = None) -> None:
        verifies_cloud = pulumi.runtime.get_config("openstack:insecure") in (None, "false")
        inputs = disclosure(plan, secrets, verifies_cloud=verifies_cloud, cloud=_cloud())
        super().__init__("idr:deployment:Disclosure", plan.stack, inputs, opts)
        self.register_outputs({})
