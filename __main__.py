"""The Image Data Resource as one Pulumi program: settings -> plan -> components -> outputs."""

from typing import Any

import pulumi

from components.deployment import Deployment
from components.stack import load
from idr.capacity import require_capacity
from model import outputs
from model.outputs import Addresses
from model.planning import plan

settings, secrets = load()
stack_plan = plan(settings, pulumi.get_stack())
require_capacity(stack_plan)
deployment = Deployment(stack_plan, secrets)
addresses = pulumi.Output.all(public=deployment.public_address, bastion=deployment.bastion_address)


def of_addresses(view: Any) -> pulumi.Output[Any]:
    """An output that needs the addresses which only the cloud knows."""
    return addresses.apply(lambda known: view(Addresses(**known)))


pulumi.export("endpoints", of_addresses(outputs.endpoints))
pulumi.export("inventory", of_addresses(lambda known: outputs.inventory(stack_plan, known)))
pulumi.export("sshConfig", of_addresses(lambda known: outputs.ssh_config(stack_plan, known, "known_hosts")))
pulumi.export("knownHosts", outputs.known_hosts(stack_plan, secrets))
pulumi.export("certificateAuthority", secrets.authority.certificate)
pulumi.export("firewall", outputs.firewall_table(stack_plan))
pulumi.export("releases", outputs.releases(stack_plan))
