"""`idr check`: before anything is made, whether the cloud can hold the plan."""

from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from idr import stack_file
from idr.agreement import disagreements
from idr.capacity import offer
from idr.cli import FAILED, AsJson, Stack, console, print_json
from idr.cloud import asking, connect
from model.capacity import UNLIMITED, Need, absent, needs


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Ask the cloud for quotas, flavors, images, networks, floating IPs and volume types, and compare with the plan.

    Tells every shortfall at once and changes nothing. `pulumi up` does the same before it creates a server.
    """
    file = stack_file.read(stack)
    cloud = asking(lambda: connect(file.provider_setting))
    differences: list[str] = asking(lambda: disagreements(cloud, file.plan))
    found = asking(lambda: offer(cloud, file.plan))
    needed = needs(file.plan, found)
    lacking = [*file.missing(), *absent(file.plan, found), *(str(need) for need in needed if not need.fits)]
    if as_json:
        ok = not (lacking or differences)
        shown = [_plain(need) for need in needed]
        print_json({"ok": ok, "needs": shown, "shortfalls": lacking, "differences": differences})
    else:
        _show(needed, lacking, differences)
    if lacking or differences:
        raise typer.Exit(FAILED)


def _plain(need: Need) -> dict[str, Any]:
    # Infinity is no JSON.
    return {**asdict(need), "free": None if need.limit == UNLIMITED else need.free, "fits": need.fits}


def _show(needed: tuple[Need, ...], lacking: list[str], differences: list[str]) -> None:
    table = Table("quota", "needed", "left", "of", "")
    for need in needed:
        left, limit = ("", "unlimited") if need.limit == UNLIMITED else (f"{need.free:.0f}", str(need.limit))
        table.add_row(need.quota, str(need.more), left, limit, Text("" if need.fits else "too little", "red"))
    out = console()
    out.print(table)
    for line in lacking:
        out.print(Text.assemble(("lacks", "red"), f" {line}"))
    for line in differences:
        out.print(line, markup=False)
    out.print("" if lacking else "The cloud has everything that the plan needs.")
