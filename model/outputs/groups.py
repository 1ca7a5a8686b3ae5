"""The Ansible groups of a node, by the names in IDR's playbooks."""

from model.plan import Node, Plan
from model.roles import OMERO_ROLES, Role, SiteRole
from model.site_roles import kind


def groups(node: Node, plan: Plan) -> tuple[str, ...]:
    """Return `<environment>-hosts`, and for each kind both `<kind>-hosts` and `<environment>-<kind>-hosts`.

    An environment is a release. The bastion is in every release's group of bastions, but in no `-hosts`, since plays on
    those configure an environment's own machines.
    """
    if node == plan.bastion_node:
        return ("bastion-hosts", *(f"{release.name}-bastion-hosts" for release in plan.releases))
    kinds = {kind(role) if isinstance(role, SiteRole) else role.replace("-", "") for role in node.roles}
    if OMERO_ROLES.intersection(node.roles):
        kinds.add("omero")
    names = {f"{node.scope}-hosts", *(f"{kind}-hosts" for kind in kinds)}
    names.update(f"{node.scope}-{kind}-hosts" for kind in kinds)
    if OMERO_ROLES.intersection(node.roles):
        # The operator's own full name: the sites' NFS plays use `<environment>-ebi-nfs`.
        names.update({plan.settings.storage_group, f"{node.scope}-{plan.settings.storage_group}"})
    # IDR's group of machines with a volume at /data, beside the OMERO ones, which have a group of their own.
    if Role.MANAGEMENT in node.roles and any(volume.mount == "/data" for volume in node.volumes):
        names.add(f"{node.scope}-data-hosts")
    return tuple(sorted(names))
