"""How the engine names the program's resources, in previews and states alike: tokens of types, and URNs.

A URN is `urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME`: the types are those of the parents and, last, its own.
"""

from typing import Final

STACK: Final = "pulumi:pulumi:Stack"
DISCLOSURE: Final = "idr:deployment:Disclosure"
DATA_VOLUME: Final = "idr:storage:DataVolume"
DATA_SHARE: Final = "idr:storage:DataShare"

SERVER: Final = "openstack:compute/instance:Instance"
SERVER_GROUP: Final = "openstack:compute/serverGroup:ServerGroup"
ATTACHMENT: Final = "openstack:compute/volumeAttach:VolumeAttach"
VOLUME: Final = "openstack:blockstorage/volume:Volume"
SHARE: Final = "openstack:sharedfilesystem/share:Share"
SHARE_ACCESS: Final = "openstack:sharedfilesystem/shareAccess:ShareAccess"
FLOATING_IP: Final = "openstack:networking/floatingIp:FloatingIp"
ASSOCIATION: Final = "openstack:networking/floatingIpAssociate:FloatingIpAssociate"
NETWORK: Final = "openstack:networking/network:Network"
SUBNET: Final = "openstack:networking/subnet:Subnet"
PORT: Final = "openstack:networking/port:Port"
ROUTER: Final = "openstack:networking/router:Router"
ROUTER_INTERFACE: Final = "openstack:networking/routerInterface:RouterInterface"
SECURITY_GROUP: Final = "openstack:networking/secGroup:SecGroup"
SECURITY_RULE: Final = "openstack:networking/secGroupRule:SecGroupRule"

LOCAL_COMMAND: Final = "command:local:Command"
CONFIGURATION: Final = "command:remote:Command"
"""What configures a node; it has the node's name."""

UNKNOWN_ID: Final = "(the id of "
"""The beginning of what a preview without credentials shows for the id of an object of the cloud."""


def type_of(urn: str) -> str:
    """Return the token of a resource's own type, as in `openstack:compute/instance:Instance`."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """Return a resource's name in the program, as in `prod130-database`."""
    return urn.split("::", 3)[-1]


def release_of(name: str) -> str:
    """Return the release of a resource by its name: `prod130` of `prod130-database`, since no release has a dash."""
    return name.split("-", 1)[0]
