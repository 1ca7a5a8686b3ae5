"""The host firewall of a proxy, in a network namespace of this test: how many connections one address may open."""

import json
import os
import subprocess
import sys

import pytest

from harness import rendered, stacks
from model.roles import Role

PROXY = stacks.plan_of("local").releases[0].with_role(Role.PROXY)[0]
NETWORK = """
mount -t tmpfs tmpfs /run
mkdir /run/netns
ip netns add visitors
ip link add proxy type veth peer name eth0 netns visitors
ip addr add 203.0.113.1/24 dev proxy
ip link set proxy up
for host in 2 3 4; do ip -n visitors addr add 203.0.113.$host/24 dev eth0; done
ip -n visitors link set eth0 up
nft --file -
"$1" -c "$2" &
ip netns exec visitors "$1" -c "$3"
kill $!
"""
LISTEN = """
import socket, time
listening = socket.create_server(("203.0.113.1", 443), backlog=4000)
time.sleep(60)
"""
CONNECT = """
import errno, json, select, socket, time

def begun(host):
    one = socket.socket()
    one.setblocking(False)
    one.bind((f"203.0.113.{host}", 0))
    one.connect_ex(("203.0.113.1", 443))
    return one

def open_ones(every):
    waiting = select.poll()
    for one in every:
        waiting.register(one, select.POLLOUT)
    return sum(not what & select.POLLERR for _, what in waiting.poll(0))

while True:
    with socket.socket() as probe:
        if probe.connect_ex(("203.0.113.1", 443)) == 0:
            break
    time.sleep(0.05)
hostile = [begun(3) for _ in range(700)]
institute = [begun(4) for _ in range(300)]
time.sleep(0.5)
found = {"hostile": open_ones(hostile), "institute": open_ones(institute)}
time.sleep(4)
print(json.dumps({**found, "later": open_ones(hostile)}))
"""


@pytest.mark.needs("ip", "nft")
@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_who_opens_many_connections_waits_and_others_do_not() -> None:
    rules = rendered.files(PROXY, stacks.plan_of("local"), stacks.secrets_of("local"))["/etc/nftables.conf"]
    command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-ec", NETWORK, "sh"]
    done = subprocess.run(
        [*command, sys.executable, LISTEN, CONNECT],
        input=rules,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["institute"] == 300
    assert 300 <= counts["hostile"] < 320
    assert counts["hostile"] + 10 < counts["later"] < 400
