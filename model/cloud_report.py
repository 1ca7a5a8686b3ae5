"""Compare the plan with the cloud's quotas and objects."""

from dataclasses import dataclass, field

from model.capacity import Need, needs, tight
from model.cloud_state import CloudState
from model.plan import Plan
from model.prerequisites import absent, notices


@dataclass(frozen=True)
class Report:
    """The needed quotas, problems, notices, and what could not be checked."""

    needs: tuple[Need, ...] = ()
    shortfalls: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def report(plan: Plan, state: CloudState) -> Report:
    """Compare the plan with the cloud."""
    needed = needs(plan, state)
    return Report(
        needs=needed,
        shortfalls=[*absent(plan, state), *(str(need) for need in needed if not need.fits)],
        notices=[*notices(plan, state), *tight(needed)],
        unchecked=list(state.unchecked),
    )
