"""Measures a plate page that is cached, from this proxy and from other servers, all with the same bytes, in turns."""

import random
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.frontend import peers
from bench.frontend.delay import line
from bench.frontend.load import h2load
from model.plan import Plan
from model.roles import Role

PLATE = 384
PAGES = 2
"""Pages in one connection: the proxy closes it after 1,000 requests."""
ROUNDS = 25
TIMES = 5
ROUND_TRIP = 0.03
BROWSER_CONNECTIONS = 6
SMALLEST_BYTES = 2000
"""Of a thumbnail: those of the demo have 2.0 to 3.5 kB."""

OURS, VARNISH, PASSED = "this proxy", "Varnish", "nginx, proxy_pass without cache"
FILES, OPEN_FILES = "nginx, static files", "nginx, static files kept open"


def plate_addresses(folder: Path) -> Path:
    """Write a file with the addresses of a plate page's thumbnails."""
    file = folder / "addresses"
    file.write_text("".join(f"/webgateway/render_thumbnail/{number}/\n" for number in range(1, PLATE + 1)))
    return file


def _thumbnails(folder: Path) -> Path:
    """Write random files of the sizes of thumbnails, which do not compress either."""
    root, source = folder / "thumbnails", random.Random(PLATE)  # noqa: S311  # nothing secret
    root.mkdir()
    for number in range(1, PLATE + 1):
        (root / f"{number}.jpg").write_bytes(source.randbytes(SMALLEST_BYTES + 4 * number))
    return root


@contextmanager
def running(folder: Path, plan: Plan) -> Iterator[dict[str, int]]:
    """Run all servers; yield their ports by name. Those that need an upstream get nginx with the files."""
    tls = peers.tls_of(plan, folder)
    static = peers.files_location(_thumbnails(folder))
    web = str(plan.releases[0].with_role(Role.WEB)[0].address)
    with ExitStack() as stack:
        start = stack.enter_context
        behind = start(peers.nginx(folder / "behind", tls, static, encrypted=False))
        yield {
            OURS: start(peers.ours(folder / "ours", plan, {web: f"127.0.0.1:{behind}"})).https,
            FILES: start(peers.nginx(folder / "files", tls, static)),
            OPEN_FILES: start(peers.nginx(folder / "open", tls, f"open_file_cache max=8000; {static}")),
            VARNISH: start(peers.varnish(folder / "varnish", tls, behind)),
            PASSED: start(peers.nginx(folder / "passed", tls, peers.proxy_location(behind))),
        }


def measure(folder: Path, plan: Plan) -> dict[str, float]:
    """Return rates and times of all servers, and the ratios between this proxy and each."""
    addresses = plate_addresses(folder)
    figures: dict[str, float] = {}
    with running(folder, plan) as ports:
        for port in ports.values():
            h2load(port, addresses, 2 * PLATE)
        figures |= _rates(ports, addresses)
        figures |= _times(ports, addresses)
    return figures


def _rates(ports: dict[str, int], addresses: Path) -> dict[str, float]:
    """Return thumbnails per second over one HTTP/2 connection, in short rounds.

    A ratio is the median of the ratios of all rounds: other load of the machine affects both sides of a round.
    """
    rounds = [
        {name: h2load(port, addresses, PAGES * PLATE).rate for name, port in ports.items()} for _ in range(ROUNDS)
    ]
    medians = {f"{name}: thumbnails/s": statistics.median(one[name] for one in rounds) for name in ports}
    for peer in (FILES, OPEN_FILES, VARNISH, PASSED):
        medians[f"{OURS} / {peer}: rate"] = statistics.median(one[OURS] / one[peer] for one in rounds)
    return medians


def _times(ports: dict[str, int], addresses: Path) -> dict[str, float]:
    """Return the seconds for one plate page over a long line, from the first packet on."""
    milliseconds = round(ROUND_TRIP * 1000)
    ways = {
        f"{OURS}, HTTP/2": (ports[OURS], 0),
        f"{OURS}, HTTP/1.1, {BROWSER_CONNECTIONS} connections": (ports[OURS], BROWSER_CONNECTIONS),
        f"{FILES}, HTTP/2": (ports[FILES], 0),
        f"{VARNISH}, HTTP/2": (ports[VARNISH], 0),
    }
    medians = {}
    for name, (port, connections) in ways.items():
        with line(port, ROUND_TRIP) as far:
            taken = [h2load(far, addresses, PLATE, http1_connections=connections).seconds for _ in range(TIMES)]
        medians[f"{name}, {milliseconds} ms: s/plate"] = statistics.median(taken)
    ours, old, *_ = medians.values()
    medians[f"HTTP/1.1 / HTTP/2 at {milliseconds} ms: time"] = old / ours
    return medians
