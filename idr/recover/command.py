"""`idr recover`: unlock the state, and make cloud and state agree, after an update that was cut off."""

from collections.abc import Callable
from typing import Annotated

import typer

from idr import agreement, engine, stack_file, state
from idr.agreement import Agreement
from idr.cli import Stack
from idr.cloud import asking, connect
from idr.errors import IdrError
from idr.recover import leftovers, lock, remember
from model.comparison import KnownObject

Say = Callable[[str], None]
Agree = Callable[[str], bool]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes, for scripts.")]


class RecoverError(IdrError):
    """Nothing was changed: the differences cannot come from an interrupted update."""


def command(stack: Stack, yes: Yes = False) -> None:
    """After an `up` that was cut off or that the cloud failed, make the next one able to complete it.

    Unlocks the state. Deletes objects without data that the state does not know, adopts data volumes and shares, and
    removes deleted objects from the state. Lists all of it and asks first. Nothing protected is deleted or forgotten.
    """
    recover(stack, typer.echo, lambda question: yes or typer.confirm(question))


def recover(stack: str, say: Say, agree: Agree) -> None:
    """Make cloud and state of a stack agree, after `agree` to each question; `say` is called after each step.

    Raises RecoverError, LockError, CloudIdentityError, EngineError or CloudError; nothing was changed then, unless an
    earlier message names a step that was done.
    """
    file = stack_file.read(stack)
    # A wrong passphrase is noticed here, before the lock is touched.
    engine.config(stack)
    cloud = asking(lambda: connect(file.provider_setting))
    known = state.read(stack)
    asking(lambda: agreement.require_same_cloud(cloud, known, stack))
    is_locked = lock.is_held(stack, known, agree)
    result: Agreement = asking(lambda: agreement.of(cloud, file.plan))
    refuse(result)
    tasks = _tasks(result)
    for line in [*result.warnings(), *tasks]:
        say(line)
    if tasks and not agree("Do this?"):
        msg = "nothing was changed"
        raise RecoverError(msg)
    if is_locked:
        engine.run("cancel", "--yes", "--stack", stack)
        say("the lock of an earlier update is off")
    if tasks or result.state.pending:
        asking(lambda: leftovers.remove(cloud, result, say))
        after: Agreement = asking(lambda: agreement.of(cloud, file.plan))
        _let_the_state_know(result, after, file.plan.settings.protect_data, say)
    say(f"the state agrees with the cloud; now: pulumi up -s {stack}")


def refuse(result: Agreement) -> None:
    """Raise RecoverError where the differences have another cause than an interrupted update."""
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
        *(f"forget: {one}, which is gone" for one in difference.gone),
        *(f"do not stop: {name}, whose machine does not run" for name in result.hindered()),
    ]


def _let_the_state_know(before: Agreement, after: Agreement, protect: bool, say: Say) -> None:
    """Adopt volumes and shares, then forget deleted objects: those listed, and those deleted with a server."""
    if hindered := before.hindered():
        remember.drop_stops(before.stack, hindered)
        say(f"no stop of services before the machine goes: {', '.join(hindered)}")
    for adoption in before.comparison.adopt:
        remember.adopt(before.stack, adoption, protect)
        say(f"{adoption.data}: adopted")
    broken = {server.id for server in before.broken()}

    def was_named(one: KnownObject) -> bool:
        return one in before.comparison.gone or one.id.split("/")[0] in broken

    named = [one for one in after.comparison.gone if was_named(one)]
    remember.forget(before.stack, after.state, named)
    for one in named:
        say(f"{one}: forgotten")
