"""How the proxy spreads requests over the web nodes: sessions, cold plates, slow and dead servers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from harness import proxy, stacks
from model import balancing, planning
from tests.unit.frontend import upstream as upstreams
from tests.unit.frontend.conftest import LANDING, THUMBNAIL

THUMBNAILS = 96
"""Enough to show how a plate of 384 is divided."""


class Farm:
    """The four read-only nodes of the stack `ebi`, and its read-write one, behind a proxy."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        # A plan of its own, because a test changes it.
        plan = planning.plan(stacks.settings("ebi"), "ebi")
        certificate = proxy.certificate(plan)
        self.readonly = [stack.enter_context(upstreams.running(certificate)) for _ in range(4)]
        self.readwrite = stack.enter_context(upstreams.running(certificate))
        addresses = {f"192.168.130.{100 + n}": server.address for n, server in enumerate(self.readonly)}
        self.nginx = proxy.Nginx(folder, {**addresses, "192.168.130.40": self.readwrite.address})
        stack.enter_context(proxy.running(self.nginx, plan))
        base = f"https://127.0.0.1:{self.nginx.https}"
        self.visitor = stack.enter_context(httpx.Client(base_url=base, verify=proxy.trust(plan), timeout=20))

    def asked(self) -> list[int]:
        """Return the number of requests by read-only node."""
        return [sum(server.asked.values()) for server in self.readonly]

    def get(self, path: str, session: str = "") -> int:
        """Return the status for a visitor with that session."""
        self.visitor.cookies.clear()
        headers = {"Cookie": f"sessionid_prod130={session}"} if session else {}
        return self.visitor.get(path, headers=headers).status_code


def test_a_session_stays_with_one_server_and_sessions_spread(tmp_path: Path) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        used = []
        for number in range(40):
            before = farm.asked()
            for _ in range(3):
                farm.get(f"/{LANDING}", f"session-{number}")
            grown = [after - old for after, old in zip(farm.asked(), before, strict=True)]
            assert sorted(grown) == [0, 0, 0, 3]
            used.append(grown.index(3))
        assert set(used) == {0, 1, 2, 3}
        assert not farm.readwrite.asked


def test_a_visitor_without_a_session_stays_with_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        for _ in range(8):
            farm.get(f"/{LANDING}")
        assert sorted(farm.asked()) == [0, 0, 0, 8]


def test_a_cold_plate_is_rendered_by_all_servers_and_an_image_by_one(tmp_path: Path) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        for number in range(THUMBNAILS):
            farm.get(f"/webclient/render_thumbnail/size/96/{number}/")
        assert min(farm.asked()) > THUMBNAILS / 8
        before = farm.asked()
        for plane in range(8):
            farm.get(f"/webgateway/render_image/7/{plane}/0/")
        assert sorted(after - old for after, old in zip(farm.asked(), before, strict=True)) == [0, 0, 0, 8]


def test_a_get_is_tried_on_another_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        farm.readonly[0].shutdown()
        farm.readonly[0].server_close()
        farm.readonly[1].status = 502
        statuses = {farm.get(f"/{LANDING}", f"session-{number}") for number in range(40)}
        statuses |= {farm.get(f"/webgateway/render_thumbnail/{number}/") for number in range(40)}
    assert statuses == {200}


def test_the_operators_address_uses_the_readwrite_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        assert httpx.get(f"http://127.0.0.1:{farm.nginx.bypass}{THUMBNAIL}").status_code == 200
        assert farm.asked() == [0, 0, 0, 0]
        assert farm.readwrite.asked == {THUMBNAIL: 1}


def test_slow_answers_take_no_server_from_other_visitors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(balancing.PATIENCE, "visitors", 1)
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        many = stack.enter_context(ThreadPoolExecutor(40))
        for server in farm.readonly:
            server.slow = "/webgateway/render_image/"
        slow = many.map(farm.get, [f"/webgateway/render_image/{number}/0/0/" for number in range(40)])
        quick = [farm.get(f"/webgateway/render_thumbnail/{number}/") for number in range(40)]
        assert set(slow) == {504}
        quick += [farm.get(f"/webgateway/render_thumbnail/{number}/") for number in range(40, 80)]
    assert set(quick) == {200}


def test_a_dead_server_is_left_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        farm = Farm(tmp_path, stack)
        farm.readonly[0].shutdown()
        farm.readonly[0].server_close()
        statuses = {farm.get(f"/webgateway/render_thumbnail/{number}/") for number in range(80)}
        failures = farm.nginx.log("error.log").count("Connection refused")
    assert statuses == {200}
    assert 3 <= failures < 20
