"""`idr check`: whether the cloud has what the plan needs, before anything is changed."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from idr import cloud_state, gixy, stack_file
from idr.agreement import disagreements
from idr.cli import FAILED, AsJson, Stack, console, print_json, table
from idr.cloud import asking, connect
from model.capacity import Need, is_limited
from model.cloud_report import Report, report

if TYPE_CHECKING:
    from openstack.connection import Connection


def command(stack: Stack, as_json: AsJson = False) -> None:
    """Compare the plan with what the cloud has and with the project's quotas.

    Also checks the site's own nginx locations, with gixy.

    Reports every shortfall at once and changes nothing. `pulumi up` does the same before it changes anything.
    """
    file = stack_file.read(stack)
    cloud = asking(lambda: connect(file.provider_setting))
    differences = asking(lambda: disagreements(cloud, file.plan))
    result = report(file.plan, asking(lambda: cloud_state.read(cloud, file.plan)))
    result = replace(result, notices=[*file.notices(), *result.notices])
    lacking = [*file.missing(), *gixy.findings(file.settings.site.locations), *result.shortfalls]
    ok = not (lacking or differences)
    if as_json:
        needed = [_plain(need) for need in result.needs]
        rest = {"notices": result.notices, "notChecked": result.unchecked}
        print_json({"ok": ok, "needs": needed, "shortfalls": lacking, "differences": differences, **rest})
    else:
        console().print(_where(cloud))
        _show(result, lacking, differences)
    if not ok:
        raise typer.Exit(FAILED)


def _where(cloud: "Connection") -> str:
    """Return the project and region of the credentials: operators must see wrong ones before the first `up`."""
    project = cloud.current_project
    return f"project {project.name or ''} ({project.id}), region {cloud.config.get_region_name() or 'unknown'}"


def _plain(need: Need) -> dict[str, Any]:
    # Infinity is no JSON.
    return {**asdict(need), "free": need.free if is_limited(need) else None, "fits": need.fits}


def _show(result: Report, lacking: list[str], differences: list[str]) -> None:
    rows = table("quota", "needed", "left", "of", "", whole=["needed", "left", "of"])
    for need in result.needs:
        left, limit = (f"{need.free:.0f}", str(need.limit)) if is_limited(need) else ("", "unlimited")
        rows.add_row(need.quota, str(need.more), left, limit, Text("" if need.fits else "too little", "red"))
    out = console()
    out.print(rows)
    for colour, lines in (
        ("red", lacking),
        ("red", differences),
        ("yellow", result.notices),
        ("yellow", result.unchecked),
    ):
        for line in lines:
            out.print(Text(f"- {line}", colour))
    if not (lacking or differences):
        out.print(_verdict(result))


def _verdict(result: Report) -> str:
    if result.unchecked:
        return "The cloud has everything that the plan needs, as far as it reports it."
    return "The cloud has everything that the plan needs."
