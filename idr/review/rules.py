"""Guard rails: what an update must not do, unless somebody lifts the rule by its name."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from idr.review import facts, secrets
from idr.review.commands import new_commands
from idr.review.disclosed import WORLD
from idr.review.power import WHO_SEES, power_changes
from idr.review.preview import Kind, Preview


@dataclass(frozen=True)
class Change:
    """What is reviewed: a preview and the stack file it was made from (None when there is none)."""

    preview: Preview
    stack_file: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Rule:
    """A guard rail. `breaches` returns what breaks it, a line each; `why` explains it to the reader."""

    name: str
    why: str
    breaches: Callable[[Change], Iterable[str]]


@dataclass(frozen=True)
class Breach:
    """A guard rail that a change breaks. `allowed` when it was lifted by name."""

    rule: str
    text: str
    allowed: bool


def _deleted(change: Change) -> list[str]:
    touched = facts.data_changes(change.preview)
    return [f"{one.name} is deleted with its data" for one in touched if one.kind == Kind.DELETE]


def _replaced(change: Change) -> list[str]:
    touched = facts.data_changes(change.preview)
    return [f"{one.name} is replaced by an empty {one.what}" for one in touched if one.kind == Kind.REPLACE]


def _unprotected(change: Change) -> list[str]:
    touched = facts.data_changes(change.preview)
    return [f"{one.name} is not protected afterwards" for one in touched if one.loses_protection]


def _shrunk(change: Change) -> list[str]:
    touched = facts.data_changes(change.preview)
    return [f"{one.name}: {one.before_gib} GiB cannot become {one.after_gib} GiB" for one in touched if one.is_shrunk]


def _opened(change: Change) -> list[str]:
    if change.preview.is_first:
        return []
    before, after = facts.openings(change.preview)
    return [f"{opening} is opened to the world" for opening in sorted(after - before)]


def _plain_secrets(change: Change) -> list[str]:
    in_file = secrets.in_stack_file(change.stack_file) if change.stack_file else []
    return [
        *(f"stack file: {key} is not encrypted; set it with `pulumi config set --secret`" for key in in_file),
        *(f"preview: {path} is readable" for path in secrets.in_preview(change.preview)),
    ]


def _live_removed(change: Change) -> list[str]:
    before, _ = facts.live(change.preview)
    gone = {step.name for step in change.preview.steps if step.kind == Kind.DELETE}
    return [f"{before}, which the public address leads to now, is deleted"] if before in gone else []


def _address_lost(change: Change) -> list[str]:
    return [f"the {name} address goes back to the cloud" for name in facts.lost_addresses(change.preview)]


def _interrupted(change: Change) -> list[str]:
    away = [step.name for step in facts.concerned(change.preview) if facts.is_interrupted(step)]
    if len(away) < 2:
        return []
    return [
        f"{', '.join(away)} are replaced or rebooted in one update, one after another. "
        "Change one node at a time; or, if all are meant, run: idr review --allow live-nodes-interrupted"
    ]


def _moved(change: Change) -> list[str]:
    return facts.moved_nodes(change.preview)


def _router_lost(change: Change) -> list[str]:
    return facts.lost_routers(change.preview)


def _joined(change: Change) -> list[str]:
    if change.preview.is_first:
        return []
    changes = power_changes(change.preview)
    unknown = "" if changes.is_recorded else "; who could before is not recorded"
    return [f"{login} {login.power}{unknown}" for login in changes.raised]


def _secret_changed(change: Change) -> list[str]:
    secret = power_changes(change.preview).new_secret
    return [f"who has the new stack secret is root on every node (its deploy key: {secret})"] if secret else []


def _access_changed(change: Change) -> list[str]:
    power = power_changes(change.preview)
    return [
        *(f"{file}: it decides who may do what" for file in power.files if file.is_access),
        *(f"{key}: it decides who may do what" for key in power.keys if key.is_access),
    ]


def _checks_lifted(change: Change) -> list[str]:
    changes = power_changes(change.preview)
    return [
        *(f"no longer: {check}" for check in changes.lifted),
        *(f"{file}: it may let pass what it refused" for file in changes.files if file.is_check),
    ]


def _flows_opened(change: Change) -> list[str]:
    # What the world may open is `world-open-port`, by the rules that the cloud is given.
    return [
        f"{flow} is opened ({flow.why})"
        for flow in power_changes(change.preview).opened
        if flow.is_with_outside and flow.source != WORLD
    ]


def _visitors_changed(change: Change) -> list[str]:
    visitors = power_changes(change.preview).visitors
    return [f"{WHO_SEES[visitors]}: idr:visitors is {visitors}, and was not"] if visitors else []


def _cloud_changed(change: Change) -> list[str]:
    return [f"{text}: it is given the cloud's credentials" for text in power_changes(change.preview).cloud]


def _sources_changed(change: Change) -> list[str]:
    return list(power_changes(change.preview).sources)


def _secrets_returned(change: Change) -> list[str]:
    return [f"{text}: its earlier value is valid again" for text in power_changes(change.preview).returned]


def _commands_changed(change: Change) -> list[str]:
    if change.preview.is_first:
        return []
    return [f"a command that did not run before: {command}" for command in new_commands(change.preview)]


def _withheld(change: Change) -> list[str]:
    if not power_changes(change.preview).is_withheld:
        return []
    return ["the program discloses operators, flows and checks no longer (components/disclosure.py)"]


RULES = (
    Rule("data-volume-deleted", "the data is lost", _deleted),
    Rule("data-volume-replaced", "the new volume is empty, and the engine deletes the old one", _replaced),
    Rule(
        "data-volume-unprotected",
        "a later update can delete it, and protection does not stop an update that removes it and replaces the volume",
        _unprotected,
    ),
    Rule("data-volume-shrunk", "Cinder refuses it during the update", _shrunk),
    Rule("live-release-removed", "the public address has no server, and the release cannot be restored", _live_removed),
    Rule("live-nodes-interrupted", "a mistake in a shared setting reaches every node at once", _interrupted),
    Rule("node-moved", "Neutron refuses it during the update, or other nodes cannot reach the node", _moved),
    Rule("router-lost", "Neutron refuses it during the update while floating IPs use the router", _router_lost),
    Rule("public-address-lost", "DNS points to it, and the cloud can give it to another project", _address_lost),
    Rule("world-open-port", "the port was not reachable from the world before", _opened),
    Rule("flow-outside", "data can leave the stack, or another network can connect to it", _flows_opened),
    Rule("operator-added", "an operator is root on every node; other roles can log in too", _joined),
    Rule("stack-secret-changed", "the stack secret gives access to every node and password", _secret_changed),
    Rule("visitors-changed", "private data of users would become public", _visitors_changed),
    Rule("cloud-changed", "the server at that address receives the cloud's credentials", _cloud_changed),
    Rule(
        "source-changed",
        "nodes run what they download, and visitors trust the addresses that they are sent to",
        _sources_changed,
    ),
    Rule("secret-returned", "the secret was renewed because somebody may know it", _secrets_returned),
    Rule("access-changed", "it controls who can log in, become root or get data", _access_changed),
    Rule("check-lifted", "changes that were refused are accepted from now on", _checks_lifted),
    Rule("command-changed", "it runs as root on the nodes, or on the machine of the engine", _commands_changed),
    Rule("power-withheld", "the review cannot see changes of operators, flows and checks", _withheld),
    Rule("plain-text-secret", "everybody who can read the repository or the review knows it", _plain_secrets),
)
NAMES = tuple(rule.name for rule in RULES)


def check(change: Change, allowed: Collection[str] = ()) -> tuple[Breach, ...]:
    """Return every guard rail that the change breaks, in the order of RULES. `allowed` names the lifted ones."""
    return tuple(Breach(rule.name, text, rule.name in allowed) for rule in RULES for text in rule.breaches(change))
