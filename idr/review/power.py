"""Changes of power: logins, open ports, and files, keys and checks on the nodes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from idr.resources import DISCLOSURE, SERVER
from idr.review.access import FileChange, KeyChange
from idr.review.disclosed import Disclosed, Flow, Login, person
from idr.review.preview import Kind, Preview, State
from model.visitors import Visitors

WHO_SEES = {
    Visitors.PUBLIC: "everybody sees what OMERO's user public may see",
    Visitors.LOGIN: "only who has an account sees anything, and may write",
}
"""The meaning of each value of idr:visitors, for a reviewer."""


@dataclass(frozen=True)
class PowerChanges:
    """The changes. `lifted` are checks that are off afterwards, `cloud` settings of the cloud's address.

    `sources` are settings of URLs of files and redirects, `returned` names of secrets that get an earlier value
    again.

    `raised` are those of `joined` whose key gave fewer permissions before, or none.

    `visitors` is who may see the data from now on, if that changes.

    `new_secret` and `former_secret` name the deploy keys of a stack secret that is trusted from now on, and of one
    that is no longer trusted.

    `is_recorded` is false if an earlier version that did not disclose these made the stack. `is_withheld`: the changed
    program no longer discloses them.
    """

    joined: tuple[Login, ...] = ()
    raised: tuple[Login, ...] = ()
    left: tuple[Login, ...] = ()
    opened: tuple[Flow, ...] = ()
    closed: tuple[Flow, ...] = ()
    lifted: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    cloud: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    visitors: Visitors | None = None
    new_secret: str = ""
    former_secret: str = ""
    is_recorded: bool = True
    is_withheld: bool = False


def power_changes(preview: Preview) -> PowerChanges:
    """Return the changes of power in a preview. For a stack that does not exist yet, only logins."""
    steps = [step for step in preview.of(DISCLOSURE) if step.kind != Kind.SAME]
    if not steps:
        return PowerChanges()
    before, after = _of(steps[0].old), _of(steps[0].new)
    if after is None:
        return PowerChanges(is_withheld=True)
    if before is None:
        everybody = tuple(sorted(after.logins))
        return PowerChanges(
            joined=everybody, raised=everybody, new_secret=_present(after), is_recorded=preview.is_first
        )
    return PowerChanges(
        joined=tuple(sorted(after.logins - before.logins)),
        raised=tuple(sorted(_raised(before.logins, after.logins))),
        left=tuple(sorted(before.logins - after.logins)),
        opened=_missing(after, before),
        closed=_missing(before, after),
        lifted=tuple(sorted(set(before.checks) - set(after.checks))),
        files=tuple(sorted(_files(before, after))),
        keys=tuple(sorted(_keys(before, after, _servers(preview, Kind.CREATE), _servers(preview, Kind.DELETE)))),
        cloud=tuple(_moved("openstack:", before.cloud, after.cloud)),
        sources=tuple(_moved("idr:", before.sources, after.sources)),
        returned=tuple(sorted(_returned(before.rotations, after.rotations))),
        visitors=after.visitors if after.visitors != before.visitors else None,
        new_secret="" if _present(after) == _present(before) else _present(after),
        former_secret="" if _former(after) == _former(before) else _former(before),
    )


def _of(state: State | None) -> Disclosed | None:
    return Disclosed.model_validate(state.inputs) if state and state.inputs else None


def _present(disclosed: Disclosed) -> str:
    """Return the deploy key of a stack secret that replaces another one; empty without one."""
    return person(disclosed.renewal.present) if disclosed.renewal else ""


def _former(disclosed: Disclosed) -> str:
    """Return the deploy key of the stack secret that is being replaced; empty without one."""
    return person(disclosed.renewal.former) if disclosed.renewal else ""


def _raised(before: Iterable[Login], after: Iterable[Login]) -> Iterator[Login]:
    known = {(login.key, login.rank) for login in before}
    yield from (one for one in after if not any(key == one.key and rank >= one.rank for key, rank in known))


def _missing(one: Disclosed, other: Disclosed) -> tuple[Flow, ...]:
    """Return the flows of `one` that `other` lacks. A flow with another reason (`why`) is the same flow."""
    known = {str(flow) for flow in other.flows}
    missing = {str(flow): flow for flow in one.flows if str(flow) not in known}
    return tuple(flow for _, flow in sorted(missing.items()))


def _files(before: Disclosed, after: Disclosed) -> Iterator[FileChange]:
    old, new = before.files, after.files
    yield from (FileChange(path, "added") for path in new.keys() - old.keys())
    yield from (FileChange(path, "removed") for path in old.keys() - new.keys())
    yield from (FileChange(path, "changed") for path in new.keys() & old.keys() if new[path] != old[path])


def _keys(before: Disclosed, after: Disclosed, added: set[str], deleted: set[str]) -> Iterator[KeyChange]:
    """Yield the changed keys, except on a new node if another node has the key already, and on a deleted node."""
    for key in before.omero.keys() | after.omero.keys():
        old, new = before.omero.get(key, {}), after.omero.get(key, {})
        both = old.keys() & new.keys()
        alike = {node for node in added & new.keys() if new[node] in old.values()}
        changes = {
            "set": new.keys() - old.keys() - alike,
            "removed": old.keys() - new.keys() - deleted,
            "changed": {node for node in both if old[node] != new[node]},
        }
        yield from (KeyChange(key, what, tuple(sorted(nodes))) for what, nodes in changes.items() if nodes)


def _servers(preview: Preview, kind: Kind) -> set[str]:
    """Return the names of the nodes whose servers are created, or deleted."""
    return {step.name for step in preview.of(SERVER, kind)}


def _moved(prefix: str, before: dict[str, str] | None, after: dict[str, str] | None) -> Iterator[str]:
    """Yield the settings with other values; nothing if an earlier version did not disclose them."""
    if before is None or after is None:
        return
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, "not set"), after.get(name, "not set")
        if old != new:
            yield f"{prefix}{name} is {new}, and was {old}"


def _returned(before: dict[str, int], after: dict[str, int]) -> Iterator[str]:
    """Yield the secrets whose number decreases: their value is derived from it."""
    for name, old in before.items():
        new = after.get(name, 1)
        if new < old:
            yield f"idr:rotations: {name} is {new}, and was {old}"
