"""The Image Data Resource as one Pulumi program: settings -> plan -> components -> outputs."""

import pulumi

from components import cloud
from components.deployment import Deployment
from components.failure import log_next_step
from components.messages import leave_out_debug_messages
from components.preconditions import require_agreement, require_capacity, require_safe_locations
from components.restored import restore_servers
from components.stack import load
from model.outputs import contract
from model.outputs.summary import summary
from model.outputs.topology import Known
from model.planning import plan
from model.replacement import order

leave_out_debug_messages()
settings, secrets = load()
stack_plan = plan(settings, pulumi.get_stack())
require_safe_locations(stack_plan)
live = require_agreement(stack_plan, secrets)
if live:
    require_capacity(stack_plan, live.cloud)
    restore_servers(stack_plan, secrets, live)
log_next_step(pulumi.get_stack())
deployment = Deployment(stack_plan, secrets, order(stack_plan, live.servers if live else {}))

# Outputs that need no address or id of the cloud: the first preview shows them.
before_up = contract.planned(stack_plan, secrets)
after_up = pulumi.Output.all(
    public=deployment.public_address,
    bastion=deployment.bastion_address,
    servers=deployment.servers,
    volumes=deployment.volumes,
    shares=deployment.shares,
    auth_url=cloud.auth_url(),
    project_id=deployment.project_id,
    region=deployment.region,
).apply(lambda known: contract.outputs(stack_plan, secrets, Known(**known)))
for name in contract.NAMES:
    pulumi.export(name, before_up[name] if name in before_up else after_up[name])
if not pulumi.runtime.is_dry_run():
    # Only after every node is configured: a failed `up` must not say that the service works.
    pulumi.Output.all(after_up, *deployment.configured).apply(
        lambda known: pulumi.log.info(summary(stack_plan, known[0]))
    )
