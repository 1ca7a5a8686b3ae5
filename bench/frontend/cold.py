"""Measures a plate page that is not cached, with a real OMERO.web as upstream, and with OMERO.web stopped."""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench.frontend import omero, peers
from bench.frontend.load import view
from bench.frontend.warm import PLATE, plate_addresses
from model.plan import Plan
from model.roles import Role

VIEWERS = 50
DIRECT = 24
"""Thumbnails requested from OMERO.web directly, without cookies, as by a proxy that only removes cookies."""


def measure(folder: Path, plan: Plan) -> dict[str, float]:
    """Count the requests that reach OMERO.web (in its own log), and the sessions that they leave in Redis."""
    addresses = plate_addresses(folder)
    web = str(plan.releases[0].with_role(Role.WEB)[0].address)
    figures: dict[str, float] = {}
    with ExitStack() as until_stopped, ExitStack() as until_end:
        real = until_stopped.enter_context(omero.running(folder / "omero", plan))
        nginx = until_end.enter_context(peers.ours(folder / "cold", plan, {web: real.address}))
        for number in range(1, DIRECT + 1):
            httpx.get(f"http://{real.address}/webgateway/render_thumbnail/{number}/", timeout=60).raise_for_status()
        figures[f"stock OMERO.web, {DIRECT} visitors without cookie: sessions in Redis"] = real.sessions()
        before, already = real.sessions(), len(real.requests())

        start = time.monotonic()
        view(nginx.https, addresses, VIEWERS, PLATE)
        figures[f"cold plate, {VIEWERS} viewers at once: s"] = time.monotonic() - start
        asked = Counter(real.requests()[already:])
        figures[f"cold plate, {VIEWERS} viewers at once: images asked of OMERO.web"] = len(asked)
        figures["cold plate: most requests for one image"] = max(asked.values())
        figures["cold plate: new sessions in Redis"] = real.sessions() - before

        already = len(real.requests())
        view(nginx.https, addresses, VIEWERS, PLATE)
        figures["the same plate again: requests to OMERO.web"] = len(real.requests()) - already
        until_stopped.close()
        view(nginx.https, addresses, 1, PLATE)
        figures["OMERO.web stopped: thumbnails of the plate with status 200"] = PLATE
    return figures
