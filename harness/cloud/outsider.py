"""Simulates a machine in the local cloud's external network, for example of a visitor or a certificate authority."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from dev.cloud import control
from dev.cloud.layout import EXTERNAL, State

BEGIN = """
ip netns add {name}
ip link add {name} type veth peer name eth0 netns {name}
ip link set {name} master br-ex up
ip -n {name} addr add {address}/{length} dev eth0
ip -n {name} link set lo up
ip -n {name} link set eth0 up
"""


@contextmanager
def machine(name: str, address: str) -> Iterator[None]:
    """Create the network namespace `name` with this address, until the end of the block."""
    state = State.at(None)
    begin = BEGIN.format(name=name, address=address, length=EXTERNAL.prefixlen)
    try:
        subprocess.run(control.enter(state, ["sh", "-ec", begin]), check=True)
        yield
    finally:
        subprocess.run(control.enter(state, ["ip", "netns", "del", name]), check=True)


def start(name: str, command: list[str]) -> list[str]:
    """Return a command line that runs a command on that machine; the command ends when this process ends."""
    return control.mortal(State.at(None), ["ip", "netns", "exec", name, *command])
