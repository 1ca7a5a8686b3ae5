"""The built OpenStack plugin against the SDK: same tokens, same property names, same shapes, at every depth."""

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import pulumi
import pulumi_openstack
import pytest
from pulumi import _types

INSTALL = Path(__file__).parents[3] / "dev" / "toolchain" / "install"

Properties = dict[str, Any]

# The plugin serves their modern tokens; the SDK keeps deprecated second tokens for some resources and functions.
DEPRECATED = re.compile(r":index/(bgpvpn|lb|getFw|workflowWorkflowV2)|getLbFlavorDeprecated")


@pytest.fixture(scope="module")
def plugin() -> dict[str, Any]:
    where = subprocess.run([INSTALL, "--print-bin"], capture_output=True, text=True, check=False)
    program = Path(where.stdout.strip()).parent / "plugins" / "pulumi-resource-openstack"
    if where.returncode or not program.is_file():
        pytest.skip("the toolchain is not built here (make toolchain), or the official one is in use")
    names: dict[str, Any] = json.loads(subprocess.run([program, "--names"], check=True, capture_output=True).stdout)
    return names


def sdk_modules() -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(pulumi_openstack.__path__, "pulumi_openstack."):
        yield importlib.import_module(module.name)


def sdk_resources() -> dict[str, type]:
    classes = (cls for module in sdk_modules() for _, cls in inspect.getmembers(module, inspect.isclass))
    return {
        token: cls
        for cls in classes
        if issubclass(cls, pulumi.CustomResource) and (token := getattr(cls, "pulumi_type", ""))
        if token.startswith("openstack:") and not DEPRECATED.search(token)
    }


def sdk_functions() -> dict[str, tuple[set[str], type]]:
    """Return for each function token the argument names and the result class."""
    out = {}
    for module in sdk_modules():
        if inspect.ismodule(module) and (
            call := re.search(r"invoke\('([^']+)'.*typ=(\w+)\)", inspect.getsource(module))
        ):
            arguments = set(re.findall(r"__args__\['(\w+)'\]", inspect.getsource(module)))
            out[call[1]] = (arguments, getattr(module, call[2]))
    return {token: about for token, about in out.items() if not DEPRECATED.search(token)}


def element(annotation: Any) -> tuple[str, type | None]:
    """Return the kind of an annotated property, and the class of its objects if it has any."""
    if inspect.isclass(annotation) and (_types.is_input_type(annotation) or _types.is_output_type(annotation)):
        return "object", annotation
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (list, Sequence) or origin is Sequence.__class__:
        return "list", next((cls for arg in args if (cls := element(arg)[1])), None)
    if origin in (dict, Mapping):
        return "map", None
    classes = [element(arg) for arg in args]
    return next((kind for kind in classes if kind[0] != "scalar"), ("scalar", None))


def differences(path: str, annotations: Mapping[str, Any], known: Properties, inputs: bool) -> Iterator[str]:
    for name, annotation in annotations.items():
        if name not in known:
            yield f"{path}.{name}: the plugin does not know it"
            continue
        kind, cls = element(annotation)
        if kind != known[name]["kind"]:
            yield f"{path}.{name}: {kind} in the SDK, {known[name]['kind']} in the plugin"
        if inputs and not known[name]["input"]:
            yield f"{path}.{name}: an input of the SDK, not of the plugin"
        if cls:
            nested = _types.input_type_types(cls) if _types.is_input_type(cls) else _types.output_type_types(cls)
            # Inside objects the SDK has one type for inputs and outputs.
            yield from differences(f"{path}.{name}", nested, known[name].get("element", {}), inputs=False)


@pytest.mark.engine
def test_every_resource_of_the_sdk_is_served_with_its_properties(plugin: dict[str, Any]) -> None:
    wrong = []
    resources = sdk_resources()
    for token, cls in resources.items():
        known = plugin["resources"].get(token)
        if known is None:
            wrong.append(f"{token}: not served")
            continue
        arguments = getattr(importlib.import_module(cls.__module__), cls.__name__ + "Args")
        wrong += differences(token, _types.input_type_types(arguments), known, inputs=True)
        wrong += differences(token, _types.resource_types(cls), known, inputs=False)
    assert len(resources) > 100
    assert not wrong, "\n".join(wrong)


@pytest.mark.engine
def test_every_function_of_the_sdk_is_served_with_its_properties(plugin: dict[str, Any]) -> None:
    wrong = []
    functions = sdk_functions()
    for token, (arguments, result) in functions.items():
        known = plugin["functions"].get(token)
        if known is None:
            wrong.append(f"{token}: not served")
            continue
        wrong += [f"{token}: unknown argument {name}" for name in arguments - set(known)]
        results = {name: annotation for name, annotation in _types.output_type_types(result).items() if name != "id"}
        wrong += differences(token, results, known, inputs=False)
    assert len(functions) > 55
    assert not wrong, "\n".join(wrong)


@pytest.mark.engine
def test_every_provider_setting_of_the_sdk_is_known(plugin: dict[str, Any]) -> None:
    settings = set(_types.input_type_types(pulumi_openstack.ProviderArgs))
    assert settings - set(plugin["config"]) == set()
