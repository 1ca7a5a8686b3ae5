"""The summary at the end of an `up`."""

from collections.abc import Mapping
from typing import Any

from model.plan import Plan


def summary(plan: Plan, outputs: Mapping[str, Any]) -> str:
    """Return the service's address and the next steps, in a few lines; `outputs` are those of the contract."""
    web = outputs["endpoints"]["web"]
    verb = "answers at" if plan.settings.configure else "gets its visitors at"
    return f"The IDR {verb} {web} (host name {plan.host_name}).\nNext: bin/idr status --stack {plan.stack}"
