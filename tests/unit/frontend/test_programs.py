"""How programs reach OMERO.server through the proxy: their configuration, their server, and the certificate."""

import json
import selectors
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from cloudinit import render
from harness import proxy, stacks
from model import balancing
from model.certificates import Certificate
from model.omero_nodes import service_name
from model.plan import Plan
from model.planning import plan
from model.reading import Source, parse
from model.roles import OMERO_ROLES
from tests.unit.frontend import upstream as upstreams

PLAN = stacks.plan_of("ebi")
SECRETS = stacks.secrets_of("ebi")
CLIENT = "/connection/omero-client.json"
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
OF_THE_RELEASE = SECRETS.certificate("test", ("prod130-omeroreadonly-1", service_name(PLAN.releases[0])))
OF_ANOTHER_NODE = SECRETS.certificate("test", ("prod130-database",))
OF_ANOTHER_STACK = stacks.secrets_of("uod").certificate("test", (service_name(PLAN.releases[0]),))


class Farm:
    """The four read-only servers of `ebi` behind its proxy, each with this certificate."""

    def __init__(self, folder: Path, stack: ExitStack, certificate: Certificate = OF_THE_RELEASE) -> None:
        self.servers = [stack.enter_context(upstreams.running(certificate)) for _ in range(4)]
        addresses = {f"192.168.130.{100 + number}": server.address for number, server in enumerate(self.servers)}
        self.nginx = stack.enter_context(proxy.running(proxy.Nginx(folder, addresses), PLAN))
        base = f"https://127.0.0.1:{self.nginx.https}"
        self.client = stack.enter_context(httpx.Client(base_url=base, verify=proxy.trust(PLAN), timeout=20))

    def websocket(self, path: str) -> int:
        """Return the status of a request for a websocket."""
        return self.client.get(path, headers=UPGRADE).status_code

    def asked(self) -> list[int]:
        """Return the number of requests, by server."""
        return [server.asked.total() for server in self.servers]


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """Start the servers as they should be."""
    with ExitStack() as stack:
        yield Farm(tmp_path, stack)


def arguments(farm: Farm) -> dict[str, str]:
    """Return the arguments that a client gets, by name."""
    client_config = json.loads(farm.client.get(CLIENT).text)
    return dict(argument.removeprefix("--").split("=", 1) for argument in client_config)


def test_a_client_gets_the_stacks_name_the_websocket_and_who_it_is(farm: Farm) -> None:
    answer = farm.client.get(CLIENT)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (answer.headers["cache-control"], answer.headers["access-control-allow-origin"]) == ("no-store", "*")
    client_arguments = arguments(farm)
    assert client_arguments.pop("Ice.Default.Router").startswith(
        "OMERO.Glacier2/router:wss -p 443 -h @omero.host@ -r /omero-ws/"
    )
    assert client_arguments == {"omero.host": PLAN.host_name, "omero.user": "public", "omero.pass": "public"}


def test_clients_behind_one_address_are_spread_over_all_servers(farm: Farm) -> None:
    paths = Counter(arguments(farm)["Ice.Default.Router"].rsplit(" ", 1)[1] for _ in range(200))
    assert set(paths) == {f"/omero-ws/{number}" for number in range(1, 5)}
    assert min(paths.values()) > 200 / 4 / 3
    for path in paths:
        assert farm.websocket(path) == 200
    assert farm.asked() == [1, 1, 1, 1]


@pytest.mark.parametrize("number", range(1, 5))
def test_a_number_is_always_the_same_server(farm: Farm, number: int) -> None:
    for _ in range(3):
        assert farm.websocket(f"/omero-ws/{number}") == 200
    assert farm.asked() == [3 if server == number else 0 for server in range(1, 5)]


def test_a_client_without_a_number_keeps_its_server(farm: Farm) -> None:
    for _ in range(3):
        assert farm.websocket("/omero-ws") == 200
    assert sorted(farm.asked()) == [0, 0, 0, 3]


def test_a_new_client_of_a_server_that_is_away_gets_another(farm: Farm) -> None:
    farm.servers[1].shutdown()
    farm.servers[1].server_close()
    assert farm.websocket("/omero-ws/2") == 200
    assert farm.asked()[1] == 0
    assert sum(farm.asked()) == 1


def test_the_websocket_is_asked_for_upstream(farm: Farm) -> None:
    assert farm.websocket("/omero-ws/1") == 200
    (sent,) = farm.servers[0].headers
    assert (sent["upgrade"], sent["connection"]) == ("websocket", "upgrade")


@pytest.mark.parametrize("path", ["/omero-wsx", "/omero-ws/5", "/omero-ws/1/x", "/omero-ws/x", f"{CLIENT}x"])
def test_nothing_else_leads_there(farm: Farm, path: str) -> None:
    assert farm.websocket(path) != 200
    assert farm.asked() == [0, 0, 0, 0]


def test_the_operators_address_is_for_pages(farm: Farm) -> None:
    base = f"http://127.0.0.1:{farm.nginx.bypass}"
    assert httpx.get(f"{base}{CLIENT}").status_code != 200
    assert httpx.get(f"{base}/omero-ws", headers=UPGRADE).status_code != 200
    assert farm.asked() == [0, 0, 0, 0]


def through_port_4064(farm: Farm, number: int | None = None) -> bytes:
    """Return a server's answer through OMERO's own port, or through a numbered one, with TLS for the public name."""
    port = farm.nginx.omero_servers[14060 + number] if number else farm.nginx.omero
    context = ssl.create_default_context(cadata=SECRETS.authority.certificate)
    raw = socket.create_connection(("127.0.0.1", port), timeout=5)
    with context.wrap_socket(raw, server_hostname=PLAN.host_name) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(15)


def test_omeros_own_port_shows_the_public_certificate_and_leads_to_one_server(farm: Farm) -> None:
    for _ in range(4):
        assert through_port_4064(farm).startswith(b"HTTP/1.1 200")
    assert sorted(farm.asked()) == [0, 0, 0, 4]


@pytest.mark.parametrize("number", range(1, 5))
def test_a_port_is_always_the_server_of_its_number(farm: Farm, number: int) -> None:
    for _ in range(3):
        assert through_port_4064(farm, number).startswith(b"HTTP/1.1 200")
    assert farm.websocket(f"/omero-ws/{number}") == 200
    assert farm.asked() == [4 if server == number else 0 for server in range(1, 5)]


def test_a_new_client_of_a_port_whose_server_is_away_gets_another(farm: Farm) -> None:
    farm.servers[1].shutdown()
    farm.servers[1].server_close()
    assert through_port_4064(farm, 2).startswith(b"HTTP/1.1 200")
    assert farm.asked()[1] == 0
    assert sum(farm.asked()) == 1


def test_an_address_has_its_share_of_each_server(farm: Farm) -> None:
    with ExitStack() as stack:
        port = farm.nginx.omero_servers[14061]
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(101)]
        # It waits for each client's part of TLS, except for the client that is one too many.
        waiting = stack.enter_context(selectors.DefaultSelector())
        for client in clients:
            waiting.register(client, selectors.EVENT_READ)
        assert len(waiting.select(10)) == 1
        assert through_port_4064(farm, 2).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "certificate", [OF_ANOTHER_NODE, OF_ANOTHER_STACK], ids=["of another node", "of another stack"]
)
def test_a_server_that_is_not_the_releases_is_sent_nothing(tmp_path: Path, certificate: Certificate) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack, certificate)
        assert farm.websocket("/omero-ws") == 502
        assert farm.websocket("/omero-ws/1") == 502
        assert through_port_4064(farm) == b""
        assert through_port_4064(farm, 1) == b""
        assert farm.asked() == [0, 0, 0, 0]


def test_an_omero_servers_certificate_has_the_name_that_the_proxy_expects() -> None:
    plan, secrets = stacks.plan_of("local"), stacks.secrets_of("local")
    (release,) = plan.releases
    (server,) = release.with_role(*OMERO_ROLES)
    bundle = json.loads(render.bundle(server, plan, secrets, proxy.VOLUMES))
    (text,) = (entry["content"] for entry in bundle["files"] if entry["path"] == "/etc/idr/omero/server.crt")
    certificate = x509.load_pem_x509_certificate(text.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert service_name(release) in names.get_values_for_type(x509.DNSName)


def divided() -> Plan:
    """Start the four read-only servers of `ebi`, two of them without OMERO.web, as in the IDR."""
    values = stacks.values("ebi")
    nodes = values["releases"]["prod130"]["nodes"]
    nodes["omeroweb"] = nodes["omeroreadonly"] | {"roles": ["web", "omero-readonly"], "count": 2}
    nodes["omeroreadonly"] |= {"roles": ["omero-readonly"], "count": 2}
    return plan(parse(values, Source("ebi", "Pulumi.ebi.yaml")), "ebi")


def test_servers_without_omero_web_serve_programs_and_the_others_the_web(tmp_path: Path) -> None:
    stack_plan = divided()
    release = stack_plan.releases[0]
    web = {str(node.address) for node in balancing.web(release)}
    programs = {str(node.address) for node in balancing.omero(release)}
    assert (web, programs) == ({"192.168.130.70", "192.168.130.71"}, {"192.168.130.100", "192.168.130.101"})
    with ExitStack() as stack:
        names = ("test", service_name(release), *(node.name for node in release.nodes))
        certificate = SECRETS.certificate("test", names)
        servers = {address: stack.enter_context(upstreams.running(certificate)) for address in sorted(web | programs)}
        upstream_of = {address: server.address for address, server in servers.items()}
        nginx = stack.enter_context(proxy.running(proxy.Nginx(tmp_path, upstream_of), stack_plan))
        base = f"https://127.0.0.1:{nginx.https}"
        client = stack.enter_context(httpx.Client(base_url=base, verify=proxy.trust(stack_plan), timeout=20))
        numbers = {client.get(CLIENT).text.rpartition("/omero-ws/")[2][0] for _ in range(40)}
        assert numbers == {"1", "2"}
        for path in ("/omero-ws", "/omero-ws/1", "/omero-ws/2"):
            assert client.get(path, headers=UPGRADE).status_code == 200
        assert client.get("/omero-ws/3", headers=UPGRADE).status_code == 404
        for number in range(20):
            assert client.get(f"/webgateway/render_thumbnail/{number}/").status_code == 200
        asked = {address: set(server.asked) for address, server in servers.items()}
    assert all(paths and all(path.startswith("/omero-ws") for path in paths) for paths in map(asked.get, programs))
    assert all(paths and not any(path.startswith("/omero-ws") for path in paths) for paths in map(asked.get, web))
