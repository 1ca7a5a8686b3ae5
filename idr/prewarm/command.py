"""The command `idr prewarm`.

Options are values, not annotations, because Debian 12's typer 0.7 reads no `Annotated`.
"""

import asyncio
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .catalogue import COUNTED, catalogue
from .client import Client, RequestError
from .pace import Pace
from .run import Report, Run, StoppedError
from .state import State, StateError, load

FAILED = 1
USAGE = 2
STOPPED = 75
"""EX_TEMPFAIL of sysexits.h: the same command continues the run."""
LINE_SECONDS = 60.0

URL = typer.Option(..., envvar="IDR_PREWARM_URL", help="The release's proxy, as https://10.131.0.50.")
HOST = typer.Option("", envvar="IDR_PREWARM_HOST", help="Host name to send and to verify, if --url has an IP address.")
CA_FILE = typer.Option("", envvar="IDR_PREWARM_CA_FILE", help="PEM file of an authority to trust beside the system's.")
STATE = typer.Option("", envvar="IDR_PREWARM_STATE", help="State file. [default: one per proxy, in ~/.local/state/idr]")
MOST = typer.Option(64, "--concurrency", min=1, max=1000, help="Most requests at once; fewer while responses are slow.")
FRESH = typer.Option(False, "--fresh", help="Request everything again, also what was done before.")
IMAGES = typer.Option(
    True, "--images/--no-images", help="Each image's pages too: some 300 kB each, which the proxy's cache must hold."
)
ONLY = typer.Option(
    "", "--only", help="Only the objects of an import: a file with the output of `idr import --report --json`."
)
DRY_RUN = typer.Option(False, "--dry-run", help="Only count the objects.")
AS_JSON = typer.Option(False, "--json", help="Print the report as JSON.")


def prewarm(
    url: str = URL,
    host: str = HOST,
    ca_file: str = CA_FILE,
    state: str = STATE,
    concurrency: int = MOST,
    images: bool = IMAGES,
    fresh: bool = FRESH,
    only: str = ONLY,
    dry_run: bool = DRY_RUN,
    as_json: bool = AS_JSON,
) -> None:
    """Request every thumbnail and metadata page from a release's proxy, so that the first visitor need not wait.

    Requests every image's thumbnail and the metadata panel of every screen, project, plate and dataset. Opens one image
    of every fileset, so that Bio-Formats keeps its memo file. The release may be live or not. The next run continues a
    run that ended early. With --only, requests the pages of the objects of an import and of their containers.

    Exit status: 0 done, 1 done but some failed (listed in STATE.failed), 2 wrong usage, 75 ended early, run it again.
    """
    console = Console(stderr=True, highlight=False)
    target = f"{url} as {host}" if host else url
    _check(url, ca_file)
    chosen = _imported_objects(only) if only else ()
    digest = hashlib.sha256("\n".join(chosen).encode()).hexdigest()[:16] if chosen else ""
    target += f" for {digest}" if chosen else ""
    try:
        pace = Pace(concurrency)
        client = Client(url, host, ca_file, concurrency, pace.watch, partial(_wait, console, url))
        if dry_run:
            _print_counts(asyncio.run(_counts(client, chosen)), as_json=as_json)
            return
        file = Path(state) if state else _default_file(f"{host or url}{'-' * bool(chosen)}{digest}")
        run = partial(Run, images=images, chosen=chosen)
        report = _prewarm(client, pace, _state(file, target, fresh=fresh), file, console, run)
    except (RequestError, StoppedError) as error:
        if isinstance(error, RequestError) and error.status == httpx.codes.FORBIDDEN:
            why = "users log in there (idr:visitors), so there is no cache that visitors share: nothing to warm"
            raise _failure(console, f"{url}: {why}", USAGE) from None
        raise _failure(console, f"{url}: {error}", STOPPED) from None
    except StateError as error:
        raise _failure(console, str(error), USAGE) from None
    except OSError as error:
        raise _failure(console, str(error), FAILED) from None
    except KeyboardInterrupt:
        raise _failure(console, "interrupted; run it again to go on", STOPPED) from None
    _print_report(report, file, as_json=as_json)
    if report.failed:
        raise typer.Exit(FAILED)


def _check(url: str, ca_file: str) -> None:
    if not re.match("https?://[^/]", url):
        raise typer.BadParameter(f"--url {url}: not an address as https://10.131.0.50")
    if ca_file and not Path(ca_file).is_file():
        raise typer.BadParameter(f"--ca-file {ca_file}: no such file")


def _wait(console: Console, url: str, why: str) -> None:
    console.print(f"waiting for {url}: {why}", markup=False, soft_wrap=True)


def _failure(console: Console, message: str, status: int) -> typer.Exit:
    console.print(f"error: {message}", markup=False, soft_wrap=True)
    return typer.Exit(status)


def _default_file(name: str) -> Path:
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "idr" / f"prewarm-{re.sub('[^a-zA-Z0-9.-]+', '_', name)}.json"


def _state(file: Path, target: str, *, fresh: bool) -> State:
    file.parent.mkdir(parents=True, exist_ok=True)
    if fresh:
        file.unlink(missing_ok=True)
        file.with_name(f"{file.name}.failed").unlink(missing_ok=True)
    return load(file, target)


def _imported_objects(file: str) -> Sequence[str]:
    """The objects of an import, from its report."""
    try:
        objects = [str(one) for one in json.loads(Path(file).read_text())["made"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"--only {file}: no report of an import ({error})") from None
    if wrong := [one for one in objects if not re.fullmatch("(Screen|Project|Plate|Dataset|Image):[0-9]+", one)]:
        raise typer.BadParameter(f"--only {file}: not an object of OMERO: {wrong[0]}")
    if not objects:
        raise typer.BadParameter(f"--only {file}: the import has created no objects")
    return objects


async def _counts(client: Client, chosen: Sequence[str]) -> dict[str, int]:
    async with client:
        return await catalogue(chosen, client.get, lambda _path, _why: None).counts()


def _prewarm(
    client: Client, pace: Pace, state: State, file: Path, console: Console, create_run: Callable[..., Run]
) -> Report:
    if state.complete:
        return Report(dict(state.done), state.done, state.failed, complete=True)

    async def run() -> Report:
        with _Progress(console, pace) as progress:
            async with client:
                return await create_run(client, state, file, pace, progress.changed)()

    return asyncio.run(run())


class _Progress:
    """A bar on a terminal, a line a minute in a log."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self._console = console
        self._pace = pace
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.0f}/s, {task.fields[limit]} at once, {task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=120,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("objects", total=None, rate=0.0, limit=0, failed=0)
        self._start = self._line = time.monotonic()
        self._before: int | None = None

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def changed(self, report: Report) -> None:
        """Show the progress of the run."""
        done, total = sum(report.done.values()), sum(report.total.values())
        if self._before is None:
            self._before = done
        now = time.monotonic()
        rate = (done - self._before) / max(now - self._start, 0.001)
        self._bar.update(
            self._task, completed=done, total=total, rate=rate, limit=self._pace.limit, failed=report.failed
        )
        if not self._console.is_terminal and now - self._line >= LINE_SECONDS:
            self._line = now
            time_left = f", {(total - done) / rate / 3600:.1f} h left" if rate else ""
            self._console.print(
                f"{done} of {total} objects, {rate:.0f}/s, {self._pace.limit} at once, "
                f"{report.failed} failed{time_left}"
            )


def _print_counts(counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
        return
    for kind, name in COUNTED.items():
        typer.echo(f"{counts[kind]:10} {name}")


def _print_report(report: Report, file: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    done = ", ".join(f"{report.done.get(kind, 0)} {name}" for kind, name in COUNTED.items())
    rate = f" in {report.seconds:.0f} s, {report.requests / report.seconds:.0f} requests/s" if report.seconds else ""
    typer.echo(f"{done}{rate}; {report.failed} failed")
    if not report.requests:
        typer.echo("Everything was done before; --fresh requests it again.")
    if report.failed:
        typer.echo(f"What failed, and why: {file}.failed")
