"""`idr recover`: unlock the state, and make cloud and state agree, after an interrupted update."""

from collections.abc import Callable
from typing import Annotated

import typer

from idr import agreement, engine, stack_file, state
from idr.agreement import Agreement
from idr.cli import Stack
from idr.cloud import asking, connect
from idr.errors import IdrError
from idr.recover import leftovers, lock, state_edit
from model.comparison import KnownObject

Report = Callable[[str], None]
Agree = Callable[[str], bool]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes, for scripts.")]


class RecoverError(IdrError):
    """Nothing was changed: the differences cannot come from an interrupted update."""


def command(stack: Stack, yes: Yes = False) -> None:
    """After an interrupted or failed `up`, prepare the next one to complete it.

    Unlocks the state. Deletes objects without data that are not in the state, adopts data volumes and shares, and
    removes deleted objects from the state. Lists all changes and asks first. Protected objects are kept.
    """
    recover(stack, typer.echo, lambda question: yes or typer.confirm(question))


def recover(stack: str, report: Report, agree: Agree) -> None:
    """Make cloud and state of a stack agree. `agree` answers each question; `report` is called after each step.

    Raises RecoverError, LockError, CloudIdentityError, EngineError or CloudError. Nothing is changed then, except by
    the steps that `report` has named.
    """
    file = stack_file.read(stack)
    # Fails here with a wrong passphrase, before the lock is removed.
    engine.config(stack)
    cloud = asking(lambda: connect(file.provider_setting))
    known = state.read(stack)
    asking(lambda: agreement.require_same_cloud(cloud, known, stack))
    is_locked = lock.is_held(stack, known, agree)
    result = asking(lambda: agreement.of(cloud, file.plan))
    refuse(result)
    tasks = _tasks(result)
    for line in [*result.warnings(), *tasks]:
        report(line)
    if tasks and not agree("Do this?"):
        msg = "nothing was changed"
        raise RecoverError(msg)
    if is_locked:
        engine.run("cancel", "--yes", "--stack", stack)
        report("the lock of an earlier update is removed")
    if tasks or result.state.pending:
        asking(lambda: leftovers.remove(cloud, result, report))
        after = asking(lambda: agreement.of(cloud, file.plan))
        _update_state(result, after, file.plan.settings.protect_data, report)
    report(f"the state agrees with the cloud; now: pulumi up -s {stack}")


def refuse(result: Agreement) -> None:
    """Raise RecoverError if the differences have another cause than an interrupted update."""
    if lines := result.foreign() or result.protected_lost():
        raise RecoverError("\n".join(lines))
    if blocked := [one for one in result.comparison.undecided if one.blocks]:
        lines = [f"{one.data}: {one.reason}" for one in blocked]
        raise RecoverError("\n".join([*lines, leftovers.how_to_decide(blocked)]))


def _tasks(result: Agreement) -> list[str]:
    difference = result.comparison
    return [
        *(f"delete: {one}" for one in (*difference.delete, *difference.extra_rules)),
        *(f"delete: {one}, which is in ERROR" for one in result.broken()),
        *(f"adopt: {one.data}, as the data {one.data.kind} {one.name}" for one in difference.adopt),
        *(f"forget: {one}, which is gone" for one in difference.deleted),
        *(f"do not stop: {name}, whose machine does not run" for name in result.hindered()),
    ]


def _update_state(before: Agreement, after: Agreement, protect: bool, report: Report) -> None:
    """Adopt volumes and shares, then forget deleted objects: those listed, and those deleted with a server."""
    if hindered := before.hindered():
        state_edit.drop_stops(before.stack, hindered)
        report(f"no stop of services before the machine goes: {', '.join(hindered)}")
    for adoption in before.comparison.adopt:
        state_edit.adopt(before.stack, adoption, protect)
        report(f"{adoption.data}: adopted")
    broken = {server.id for server in before.broken()}

    def was_listed(one: KnownObject) -> bool:
        return one in before.comparison.deleted or one.id.split("/")[0] in broken

    listed = [one for one in after.comparison.deleted if was_listed(one)]
    state_edit.forget(before.stack, after.state, listed)
    for one in listed:
        report(f"{one}: forgotten")
