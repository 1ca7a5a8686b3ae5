"""`idr transfer`: copy a tree with rclone, and verify that it is complete."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from idr import cli
from idr.errors import IdrError
from idr.transfer.copying import SHOWN, Report, transfer
from idr.transfer.estimate import TB
from idr.transfer.locations import is_inside, problem, unmounted
from idr.transfer.measuring import Forecast, forecast

INTERRUPTED = 75
"""EX_TEMPFAIL of sysexits.h: the same command continues the copy."""
MB = 10**6
LARGEST_TB = 10**6


class Links(StrEnum):
    """What to do with symbolic links."""

    KEEP = "keep"
    FOLLOW = "follow"


LINKS = {None: (), Links.KEEP: ("--links",), Links.FOLLOW: ("--copy-links",)}


def _location(text: str) -> str:
    if fault := problem(text):
        raise typer.BadParameter(fault)
    return text


def command(
    source: Annotated[
        str, typer.Argument(callback=_location, help="A folder, or a remote of rclone, as in s3:bucket/path.")
    ],
    destination: Annotated[str, typer.Argument(callback=_location, help="The same. Missing folders are created.")],
    parallel: Annotated[int, typer.Option(min=1, max=256, help="How many files at once.")] = 16,
    bandwidth: Annotated[
        str, typer.Option(help='A limit, as in 50M, or hours with limits, as in "08:00,20M 19:00,off" (of rclone).')
    ] = "",
    links: Annotated[
        Links | None,
        typer.Option(help="Copy links as links, or what they lead to. Without this they are left out, and counted."),
    ] = None,
    sizes_only: Annotated[
        bool, typer.Option("--sizes-only", help="At the end compare names and sizes, and read no file again.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the path of every file without a good copy to this file."),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Copy samples only, and estimate the time for the whole tree.")
    ] = False,
    terabytes: Annotated[
        list[float] | None,
        typer.Option(min=0.001, max=LARGEST_TB, help="With --estimate: a further size to estimate."),
    ] = None,
    shipping_days: Annotated[
        float, typer.Option(min=0, max=365, help="With --estimate: how many days shipping disks takes.")
    ] = 7,
    disk_speed: Annotated[
        int, typer.Option(min=1, help="With --estimate: how fast disks are written and read, in MB per second.")
    ] = 150,
    on_root_disk: Annotated[
        bool, typer.Option("--on-root-disk", help="Begin a copy on this machine's root disk, where no disk is mounted.")
    ] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Copy a tree with rclone, then compare every file with its source.

    Files that are already at the destination are not copied again: after an interruption, run the same command again.
    Nothing is deleted at the destination.

    Exit status: 0 complete, 1 files are missing, different or unreadable, or links were skipped, 2 wrong usage, 75
    interrupted.
    """
    if is_inside(destination, source):
        raise typer.BadParameter(f"{destination} is in {source}: the copy would be copied, too")
    if tree := next((tree for tree in (source, destination) if report and is_inside(str(report), tree)), None):
        raise typer.BadParameter(f"{report} is in {tree}: write it to another folder")
    if terabytes and not estimate:
        raise typer.BadParameter("--terabytes goes with --estimate; without it the whole tree is copied")
    if not on_root_disk and (there := unmounted(destination)):
        msg = f"{destination}: {there} is on this machine's root disk: is a disk not mounted? If not: --on-root-disk"
        raise IdrError(msg)
    limit = ("--bwlimit", bandwidth) if bandwidth else ()
    flags = ("--transfers", str(parallel), "--checkers", str(parallel), *LINKS[links], *limit)
    try:
        if estimate:
            result = forecast(source, destination, flags, terabytes or (), shipping_days, disk_speed * MB)
            cli.print_json(asdict(result)) if as_json else _show_forecast(result)
            return
        done = transfer(source, destination, flags, sizes_only=sizes_only, report=report)
    except KeyboardInterrupt:
        typer.echo("error: interrupted; run the same command again to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    cli.print_json(asdict(done)) if as_json else _show(done, report)
    if done.bad or done.links:
        raise typer.Exit(cli.FAILED)


def _show(done: Report, report: Path | None) -> None:
    console = cli.console()
    speed = f", {decimal(int(done.copied_bytes / done.seconds))}/s" if done.copied and done.seconds else ""
    console.print(f"copied {done.copied} files, {decimal(done.copied_bytes)} in {done.seconds:.0f} s{speed}")
    if done.without_sum:
        console.print(
            f"{done.without_sum} files were compared by size: source and destination have no checksum in common"
        )
    if done.links:
        console.print(f"{done.links} links were left out: give --links keep or --links follow")
    if not done.bad:
        console.print("Every file of the source is at the destination." if not done.links else "All others are there.")
        return
    for what, path in done.first:
        console.print(f"{what:<10} {path}")
    if done.why:
        console.print(f"The last error of the copy: {done.why}")
    more = f" ({report} has all)" if report else " (--report FILE writes all to a file)" if done.bad > SHOWN else ""
    console.print(
        f"{done.missing} missing, {done.different} different, {done.unreadable} unreadable{more}. Run the same command "
        "again: it copies these files again."
    )


def _show_forecast(estimate: Forecast) -> None:
    console = cli.console()
    console.print(f"{estimate.files} files")
    for one in estimate.durations:
        console.print(f"{decimal(round(one.terabytes * TB)):>12} take {_duration(one.hours)}")
    if estimate.shipping_from_terabytes is None:
        console.print("Disks are never faster: the network is as fast as they are.")
    else:
        days, size = estimate.shipping_days, estimate.shipping_from_terabytes
        console.print(f"Disks that are {days:g} days on the road are faster from {decimal(round(size * TB))} on.")


def _duration(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    if hours >= 1:
        return f"{hours:.1f} hours"
    return f"{hours * 60:.1f} minutes" if hours >= 1 / 60 else f"{hours * 3600:.1f} seconds"
