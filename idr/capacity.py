"""Whether the cloud can hold the plan: asked at the start of an `up`, and by `idr check`."""

from dataclasses import dataclass, field

import pulumi

from components.cloud import setting
from idr import cloud_state
from idr.cloud import CloudError, asking, connect
from model.capacity import Need, needs, tight
from model.cloud_state import CloudState
from model.plan import Plan
from model.prerequisites import absent, notices


@dataclass(frozen=True)
class Report:
    """What the plan needs of each quota, what hinders it, what is to be known, and what could not be checked."""

    needs: tuple[Need, ...] = ()
    shortfalls: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


def report(plan: Plan, state: CloudState) -> Report:
    """The plan compared with what the cloud has."""
    found = needs(plan, state)
    return Report(
        needs=found,
        shortfalls=[*absent(plan, state), *(str(need) for need in found if not need.fits)],
        notices=[*notices(plan, state), *tight(found)],
        untold=list(state.untold),
    )


def require_capacity(plan: Plan) -> None:
    """Refuse an `up` that the cloud cannot carry out, before it has changed anything.

    Raises RunError with every shortfall, a line each, or with what is wrong with the credentials. A preview asks
    nothing: it must work for a reviewer who has no credentials.
    """
    if pulumi.runtime.is_dry_run():
        return
    try:
        state = asking(lambda: cloud_state.read(connect(setting), plan))
    except CloudError as error:
        raise pulumi.RunError(str(error)) from None
    found = report(plan, state)
    if found.shortfalls:
        lines = "\n".join(f"- {line}" for line in found.shortfalls)
        msg = f"nothing was changed: this cloud cannot hold the plan:\n{lines}"
        raise pulumi.RunError(msg)
    for line in (*found.notices, *found.untold):
        pulumi.log.warn(line)
