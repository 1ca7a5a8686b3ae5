"""What the program declares to the engine, recorded by Pulumi's mocks without an engine and without a cloud.

The record has the requests as the engine gets them: inputs, options and marks of secrets.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

from cloudinit import render, user_data
from components.deployment import Deployment
from harness import rendered
from idr.resources import STACK, name_of, type_of
from model.plan import Plan
from model.secrets import Secrets

OPTIONS = {
    "protect": "protect",
    "deleteBeforeReplace": "deleteBeforeReplace",
    "ignoreChanges": "ignoreChanges",
    "replaceOnChanges": "replaceOnChanges",
    "retainOnDelete": "retainOnDelete",
    "customTimeouts": "customTimeouts",
    "importId": "import",
    "deletedWith": "deletedWith",
}
"""The fields of a request by their names in a program; the record leaves out fields that are not set."""

Record = dict[str, Any]


class Cloud(mocks.Mocks):
    """A cloud that accepts every request; an id names its object. In a preview no object exists, so none has an id."""

    def __init__(self, *, preview: bool = False) -> None:
        self._preview = preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        new_id = f"<id of {_kind(args.typ)} {args.name}>"
        computed: dict[str, Record] = {
            "FloatingIp": {"address": f"<address of {args.name}>"},
            "Command": {"stdout": "ready"},
            "Port": {"allFixedIps": [f"<address of {args.name}>"]},
            "Share": {"exportLocations": [{"path": rendered.export_location(args.name), "preferred": "true"}]},
        }
        location = (
            {"region": "<region>", "tenantId": "<id of the project>"} if args.typ.startswith("openstack:") else {}
        )
        if self._preview:
            return "", args.inputs
        return new_id, {**location, **args.inputs, **computed.get(_kind(args.typ), {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        # Sorted by name: the engine passes arguments in any order.
        about = " ".join(str(value) for _, value in sorted(args.args.items()) if not isinstance(value, bool))
        return {**args.args, "id": f"<id of {args.token.rsplit(':get')[-1].lower()} {about}>"}, []


class Recorder(mocks.MockMonitor):
    """Records every request to register a resource."""

    def __init__(self, *, preview: bool = False) -> None:
        super().__init__(Cloud(preview=preview))
        self.requests: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        self.requests[self.make_urn(request.parent, request.type, request.name)] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # Pulumi gives it no types


def run(program: Callable[[], Any], stack: str, *, preview: bool = False) -> Recorder:
    """Run a program, or a part of one, as the engine does. Raises the program's exceptions."""
    recorder = Recorder(preview=preview)
    # Pulumi asks for the thread's event loop. asyncio.run, which another test may have called, removes it.
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(Cloud(preview=preview), project="idr", stack=stack, preview=preview, monitor=recorder)
    # Pulumi's mocks know no hooks on errors; tests/engine/test_refusals.py has them.
    with mock.patch("components.failure.log_next_step"):
        _sync_await(run_pulumi_func(program))
    return recorder


def resources(plan: Plan, secrets: Secrets) -> dict[str, Record]:
    """Return every resource of a plan by type and name, sorted, with its options and its inputs."""
    requests = run(lambda: Deployment(plan, secrets), plan.stack).requests
    children = _children(requests)
    known = _rendered(plan, secrets)
    declared = {
        _title(urn): _record(request, children, known) for urn, request in requests.items() if request.type != STACK
    }
    return dict(sorted(declared.items()))


def _record(request: Any, children: dict[str, set[str]], known: dict[str, str]) -> Record:
    fields = MessageToDict(request)
    record: Record = {"parent": _title(request.parent)}
    record |= {name: fields[field] for field, name in OPTIONS.items() if fields.get(field)}
    if request.additionalSecretOutputs:
        record["additionalSecretOutputs"] = list(request.additionalSecretOutputs)
    if request.dependencies:
        record["dependsOn"] = _dependencies(set(request.dependencies), children)
    inputs = _value(fields.get("object", {}), known)
    return {**record, "inputs": inputs} if inputs else record


def _dependencies(urns: set[str], children: dict[str, set[str]]) -> list[str]:
    """Return the dependencies of a resource; a component is named instead of all its children."""
    for component, inside in sorted(children.items(), reverse=True):
        if len(inside) > 1 and inside <= urns:
            urns = (urns - inside) | {component}
    return sorted(_title(urn) for urn in urns)


def _children(requests: dict[str, Any]) -> dict[str, set[str]]:
    """Return the resources of the cloud or of machines, by their component."""
    children: dict[str, set[str]] = {}
    for urn, request in requests.items():
        if request.custom:
            children.setdefault(request.parent, set()).add(urn)
    return children


def _rendered(plan: Plan, secrets: Secrets) -> dict[str, str]:
    """Return texts that have golden files of their own, with what the record shows instead."""
    texts = {}
    for node in plan.nodes:
        ids = {v.purpose: str(v.existing or f"<id of Volume {v.name}>") for v in node.volumes}
        texts[user_data.bootstrap(node, plan, secrets)] = f"(the bootstrap of {node.name})"
        locations = rendered.export_locations(plan)
        texts[render.bundle(node, plan, secrets, ids, locations)] = f"(the configuration of {node.name})"
    return texts


def _value(value: Any, known: dict[str, str]) -> Any:
    """Return a value of a request as plain data; mark what the engine encrypts."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return {"secret": _value(value["value"], known)}
        return {key: _value(inner, known) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_value(inner, known) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return known.get(value, value.strip()) if isinstance(value, str) else value


def _title(urn: str) -> str:
    """Return type and name, which identify a resource in a stack."""
    return "the stack" if type_of(urn) == STACK else f"{type_of(urn)} {name_of(urn)}"


def _kind(token: str) -> str:
    return token.rsplit(":", 1)[-1]
