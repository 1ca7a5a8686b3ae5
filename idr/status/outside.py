"""A stack's state from outside its nodes: Nova's state of each server, and the response of the public address."""

import ssl
import time
from typing import TYPE_CHECKING

import httpx

from idr import stack_file
from idr.cloud import CloudError, asking, connect
from idr.outputs import Deployed
from model.outputs.topology import Topology
from model.outputs.view import View

if TYPE_CHECKING:
    from openstack.connection import Connection

SECONDS = 8
"""The time-out of each request, in seconds: nodes are queried at the same time, and all end in 15 s."""
GONE = "gone"
ERROR_STATUS = 400


class Public(View):
    """The response of the public address."""

    url: str
    answers: bool
    text: str


def servers(stack: str, project: str, topology: Topology) -> dict[str, str]:
    """Return Nova's state of each node's server, by the node's name.

    Raises CloudError without usable credentials, or with those of another project.
    """
    file = stack_file.read(stack)

    def ask() -> dict[str, str]:
        cloud = connect(file.provider_setting, answer_seconds=SECONDS)
        if project and project != cloud.current_project_id:
            msg = f"these credentials are for project {cloud.current_project_id}, the stack is in {project}"
            raise CloudError(msg)
        return _states(cloud, topology)

    return asking(ask)


def _states(cloud: "Connection", topology: Topology) -> dict[str, str]:
    states = {server.id: str(server.status) for server in cloud.compute.servers()}
    return {node.name: states.get(node.id, GONE) for node in topology.nodes if node.id}


def public(outputs: Deployed) -> Public:
    """Request the first page of the public address, as a browser that also trusts the stack's authority."""
    url, host = outputs.endpoints.web, outputs.topology.host_name
    try:
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(cadata=outputs.certificate_authority)
        began = time.monotonic()
        with httpx.Client(verify=trusted, timeout=SECONDS, trust_env=False) as client:
            answer = client.get(url, headers={"Host": host}, extensions={"sni_hostname": host})
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:  # ValueError: text that is no ASCII
        return Public(url=url, answers=False, text=str(error) or type(error).__name__)
    took = time.monotonic() - began
    text = f"status {answer.status_code} in {took:.1f} s"
    return Public(url=url, answers=answer.status_code < ERROR_STATUS, text=text)
