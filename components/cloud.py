"""Look-ups in the cloud itself."""

import os

import pulumi
import pulumi_openstack as openstack


def has_credentials() -> bool:
    """Whether this run can ask the cloud: by `openstack:cloud` or `openstack:authUrl` of the stack, or OS_*."""
    config = pulumi.Config("openstack")
    return any((config.get("cloud"), config.get("authUrl"), os.environ.get("OS_CLOUD"), os.environ.get("OS_AUTH_URL")))


def external_network_id(name: str) -> pulumi.Input[str]:
    """The id of the network that floating addresses come from; a stand-in for a reviewer without credentials."""
    if pulumi.runtime.is_dry_run() and not has_credentials():
        pulumi.log.warn(f"no credentials for this cloud: previewing without looking up the network '{name}'")
        return f"(the id of {name})"
    return openstack.networking.get_network_output(name=name, external=True).id
