"""Measures the time until a browser shows all 384 images of a plate: from this proxy, static files and Varnish."""

import base64
import io
import json
import random
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image

from bench.frontend import peers
from bench.frontend.warm import FILES, OURS, PLATE, VARNISH
from harness import stacks
from harness.browser.chromium import Browser, Site, chromium
from idr.prewarm.pages import BATCH
from model.plan import Plan
from model.roles import Role

ROUNDS = 9
EDGE = 96
DOCUMENT = "webclient/img_detail/1/"
"""An address that the proxy caches; here its content is plate.html."""
LOCATIONS = """root %(root)s;
        types { text/html html; application/json json; text/javascript js; }
        location /webclient/ { rewrite ^ /plate.html break; }
        location /webgateway/ { rewrite ^ /$arg_id.%(suffix)s break; }"""


def _pages(folder: Path) -> Path:
    """Write the page and its batches: as JSON, and as JSONP with the page's own name for the callback."""
    root, source = folder / "pages", random.Random(PLATE)  # noqa: S311  # nothing secret
    root.mkdir()
    (root / "plate.html").write_text(Path(__file__).with_name("plate.html").read_text())
    for first in range(1, PLATE + 1, BATCH):
        numbers = range(first, min(first + BATCH, PLATE + 1))
        batch = json.dumps({number: _picture(source) for number in numbers})
        (root / f"{first}.json").write_text(batch)
        (root / f"{first}.js").write_text(f"show({batch})")
    return root


def _picture(source: random.Random) -> str:
    """Return noise of a thumbnail's size, 2 to 3 kB of JPEG, in the form that OMERO.web uses in JSON."""
    buffer = io.BytesIO()
    Image.frombytes("L", (EDGE, EDGE), source.randbytes(EDGE**2)).save(buffer, "JPEG", quality=10)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


@contextmanager
def running(folder: Path, plan: Plan) -> Iterator[dict[str, int]]:
    """Run all servers; yield their ports by name."""
    tls, root = peers.tls_of(plan, folder), _pages(folder)
    plain, wrapped = (LOCATIONS % {"root": root, "suffix": suffix} for suffix in ("json", "js"))
    web = str(plan.releases[0].with_role(Role.WEB)[0].address)
    with ExitStack() as stack:
        start = stack.enter_context
        omero = start(peers.nginx(folder / "omero", tls, plain, encrypted=False))
        scripts = start(peers.nginx(folder / "scripts", tls, wrapped, encrypted=False))
        yield {
            OURS: start(peers.ours(folder / "ours", plan, {web: f"127.0.0.1:{omero}"})).https,
            FILES: start(peers.nginx(folder / "files", tls, wrapped)),
            VARNISH: start(peers.varnish(folder / "varnish", tls, scripts)),
        }


def measure(folder: Path, plan: Plan) -> dict[str, float]:
    """Return the median of each server, and the ratios between this proxy and the others."""
    site = Site(plan.host_name, "", stacks.secrets_of(plan.stack).authority.certificate)
    with running(folder, plan) as ports, ExitStack() as stack:
        browsers = {
            name: stack.enter_context(chromium(folder / f"browser-{port}", replace(site, address=f"127.0.0.1:{port}")))
            for name, port in ports.items()
        }
        for browser in browsers.values():
            seconds(browser)
        # In random order, since a busy machine slows down the first or the last.
        orders = [random.sample(sorted(ports), len(ports)) for _ in range(ROUNDS)]
        rounds = [{name: seconds(browsers[name]) for name in order} for order in orders]
    sizes = {
        f"{name}, in a browser: s until picture {PLATE}": statistics.median(one[name] for one in rounds)
        for name in ports
    }
    for peer in (FILES, VARNISH):
        ratio = statistics.median(one[OURS] / one[peer] for one in rounds)
        sizes[f"{OURS} / {peer}, in a browser: time until picture {PLATE}"] = ratio
    return sizes


def seconds(browser: Browser) -> float:
    """Return the seconds from the request until the last image is shown, with an empty browser cache."""
    browser.forget()
    browser.open(DOCUMENT)
    return float(browser.wait("return window.seconds"))
