"""Reads the running service's addresses, writes the ssh configuration, and tests whether the service answers."""

import json
import time
from dataclasses import dataclass

import httpx

from dev.local.stack import LOCAL, OPERATOR_KEY
from dev.local.steps import StepError, run
from model.outputs.ssh import ssh_config
from model.outputs.topology import Topology

SECONDS_TO_ANSWER = 60
PLATE_PAGE = "webclient/?show=plate-1"
"""The page of the demo's plate; tests/cloud/test_browser.py opens it in a browser."""


@dataclass(frozen=True)
class Service:
    """The service, from the stack's outputs."""

    web: str
    ssh_config: str
    nodes: tuple[str, ...]


def read() -> Service:
    """Read the outputs of the stack `local`."""
    outputs = json.loads(run(["pulumi", "stack", "output", "--stack", "local", "--json"], capture=True))
    topology = Topology.model_validate(outputs["topology"])
    names = tuple(node.name for node in topology.nodes)
    return Service(outputs["endpoints"]["web"], ssh_config(topology, identity=str(OPERATOR_KEY)), names)


def write_ssh_config(release: Service) -> None:
    """Write an ssh configuration for every node beside the operator's key, for `ssh -F`."""
    (OPERATOR_KEY.parent / "config").write_text(release.ssh_config)


def wait_until_it_answers(release: Service) -> None:
    """Wait until OMERO.web answers at the public address. Raises StepError when it does not."""
    end = time.monotonic() + SECONDS_TO_ANSWER
    last = ""
    # The certificate is the stack's own; this only tests whether the service answers.
    with httpx.Client(http2=True, verify=False, follow_redirects=True, timeout=20) as client:  # noqa: S501  # its own
        while time.monotonic() < end:
            try:
                answer = client.get(f"{release.web}webclient/keepalive_ping/")
                if answer.text == "OK":
                    return
                last = f"status {answer.status_code}: {answer.text[:80]}"
            except httpx.HTTPError as error:
                last = str(error)
            time.sleep(1)
    raise StepError(f"{release.web} does not answer like OMERO.web: {last}")


def what_next(release: Service) -> str:
    """Return the message for the user at the end of `make up`."""
    config = (LOCAL / "ssh" / "config").relative_to(LOCAL.parent)
    return (
        f"\nThe demo IDR:          {release.web}   (browsers warn: the stack signs its own certificate)\n"
        f"A plate of 384 images: {release.web}{PLATE_PAGE}\n"
        f"One of its machines:   ssh -F {config} {release.nodes[-1]}   (nodes: {', '.join(release.nodes)})\n\n"
        "What to try next:\n"
        "  pulumi preview -s local        shows what would change (nothing)\n"
        "  pulumi stack output -s local   prints inventory, endpoints and firewall as data\n"
        "  make test                      runs all tests\n"
        "  make down                      stops it and keeps its data\n"
    )
