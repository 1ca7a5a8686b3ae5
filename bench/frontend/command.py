"""`python -m bench frontend`: measure the front end."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import AsJson, show
from bench.frontend import cold, shown, slow, warm
from bench.frontend.load import LoadError
from dev import debian
from harness import stacks
from harness.proxy import StartError
from model.plan import Plan

Measure = Callable[[Path, Plan], dict[str, float]]
PARTS: dict[str, Measure] = {
    "warm": warm.measure,
    "shown": shown.measure,
    "cold": cold.measure,
    "slow": slow.measure,
}
ABOUT = {
    "warm": "a plate page in the cache, compared with other servers (2 minutes)",
    "shown": "the same in a browser, until its last image is shown (1 minute)",
    "cold": "a plate page that is not cached, with a real OMERO.web (2 minutes)",
    "slow": "an upstream that never answers",
}

Only = Annotated[list[str] | None, typer.Option(help=f"Only this part; may be repeated: {', '.join(PARTS)}.")]


def frontend(as_json: AsJson = False, only: Only = None) -> None:
    """Compare the front end with other servers, on loopback, in one run.

    Requests a plate page of 384 thumbnails from this proxy's cache, from nginx as static files (the limit), through
    nginx without a cache, and from Varnish behind hitch; also with a real OMERO.web and no cached pages, with OMERO.web
    stopped, and with an OMERO.web that does not answer.
    """
    console = Console(stderr=True, highlight=False)
    wanted = only or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        console.print(f"bench frontend: no part {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
        raise typer.Exit(2)
    figures: dict[str, float] = {}
    try:
        debian.ensure(debian.read_list(Path(__file__).with_name("apt-packages.txt")), console.print)
        for name in wanted:
            console.print(f"{name}: {ABOUT[name]}")
            # 755: OMERO.web and PostgreSQL run as another user in this folder.
            with tempfile.TemporaryDirectory(prefix="bench-frontend-") as folder:
                Path(folder).chmod(0o755)
                figures |= PARTS[name](Path(folder), stacks.plan_of("local"))
    except (debian.PackageError, LoadError, StartError) as error:
        console.print(f"bench frontend: {error}", markup=False)
        raise typer.Exit(1) from None
    show(figures, as_json=as_json)
