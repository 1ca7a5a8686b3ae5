"""Access to one guest from the host."""

import os
from collections.abc import Sequence

from dev.cloud.layout import Kind, State
from dev.cloud.process import CloudError


def enter(state: State, name: str, command: Sequence[str]) -> list[str]:
    """Return the command line, inside the cloud, that runs `command` in the server `name`.

    Raises CloudError if there is no such server, or it is a fake one.
    """
    import openstack

    os.environ["OS_CLIENT_CONFIG_FILE"] = str(state.clouds_yaml)
    server = openstack.connect(cloud="idr-local-admin").compute.find_server(name, all_projects=True)
    if server is None or not server.instance_name:
        raise CloudError(f"there is no server {name}")
    if server.hypervisor_hostname != "local":
        raise CloudError(f"{name} is a fake server: there is nothing to enter")
    choice = state.choice()
    if choice and choice.kind is not Kind.CONTAINER:
        return ["virsh", "-c", "qemu:///system", "console", server.instance_name]
    # libvirt has the container's controller; its child is the guest's init.
    script = (
        'c=$(virsh -c lxc:/// domid "$1") && p=$(cat /proc/$c/task/$c/children) && shift && '
        'exec nsenter -t "${p%% *}" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="$TERM" "$@"'
    )
    return ["sh", "-c", script, "sh", server.instance_name, *command]
