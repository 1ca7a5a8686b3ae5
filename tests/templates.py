"""Checks what a Jinja template uses against the types of its context: mypy's view of a template.

It also reports an unknown attribute where no test renders it. What Jinja computes (filters, sums, macros) has no type
here and is not checked.
"""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from jinja2 import Environment, nodes
from pydantic import BaseModel

Names = Mapping[str, Any]
"""Names with their types; `Any` for one whose type is not known."""
LOOP: dict[str, Any] = {"loop": Any}


@dataclass
class Checker:
    """Collects the mistakes of one template and of those that it includes."""

    environment: Environment
    mistakes: list[str] = field(default_factory=list)

    def template(self, source: str, names: Names) -> list[str]:
        """Return the mistakes of a template that is rendered with `names`."""
        self._body(self.environment.parse(source).body, dict(names))
        return self.mistakes

    def _body(self, body: list[nodes.Node], names: dict[str, Any]) -> None:
        for node in body:
            self._statement(node, names)

    def _statement(self, node: nodes.Node, names: dict[str, Any]) -> None:
        if isinstance(node, nodes.For):
            inner = names | dict(_bound(node.target, element(self._type(node.iter, names)))) | LOOP
            self._expressions([node.test] if node.test else [], inner)
            self._body(node.body, inner)
            self._body(node.else_, dict(names))
        elif isinstance(node, nodes.Assign):
            names |= dict(_bound(node.target, self._type(node.node, names)))
        elif isinstance(node, nodes.Macro):
            self._body(node.body, names | {argument.name: Any for argument in node.args})
            names[node.name] = Any
        elif isinstance(node, nodes.Include):
            assert isinstance(node.template, nodes.Const)
            assert self.environment.loader
            source, _, _ = self.environment.loader.get_source(self.environment, node.template.value)
            self._body(self.environment.parse(source).body, dict(names))
        elif isinstance(node, nodes.If):
            self._expressions([node.test], names)
            self._body([*node.body, *node.elif_, *node.else_], names)
        else:
            self._expressions(node.iter_child_nodes(), names)

    def _expressions(self, expressions: Iterable[nodes.Node], names: Names) -> None:
        for node in expressions:
            self._type(node, names)

    def _type(self, node: nodes.Node, names: Names) -> Any:
        """Return the type of an expression; Any if it is not known."""
        if isinstance(node, nodes.Name):
            return self._looked_up(node.name, names)
        if isinstance(node, nodes.Getattr):
            return self._attribute(self._type(node.node, names), node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            return self._attribute(self._type(node.node, names), node.arg.value)
        if isinstance(node, nodes.Call):
            self._expressions([*node.args, *(pair.value for pair in node.kwargs)], names)
            return returned(self._type(node.node, names))
        self._expressions(node.iter_child_nodes(), names)
        return Any

    def _looked_up(self, name: str, names: Names) -> Any:
        if name not in names:
            self.mistakes.append(f"'{name}' is undefined")
        return names.get(name, Any)

    def _attribute(self, owner: Any, name: str) -> Any:
        try:
            return attribute(owner, name)
        except AttributeError as error:
            self.mistakes.append(str(error))
            return Any


def attribute(owner: Any, name: str) -> Any:
    """Return the type of an attribute. Raises AttributeError if the type has no such attribute."""
    kinds = [_attribute(member, name) for member in _members(owner)]
    return kinds[0]


def _attribute(owner: Any, name: str) -> Any:
    if owner is Any:
        return Any
    if origin := get_origin(owner):
        pairs = types.GenericAlias(tuple, get_args(owner))
        return types.GenericAlias(list, (pairs,)) if name == "items" else getattr(origin, name)
    hints = _fields(owner)
    if name in hints:
        return hints[name]
    if not hasattr(owner, name):
        msg = f"{owner.__name__} has no '{name}'"
        raise AttributeError(msg)
    value = getattr(owner, name)
    return typing.get_type_hints(value.fget)["return"] if isinstance(value, property) else value


def _fields(owner: type) -> Names:
    if issubclass(owner, BaseModel):
        return {name: about.annotation for name, about in owner.model_fields.items()}
    return typing.get_type_hints(owner)


def returned(function: Any) -> Any:
    """Return the type of a function's result; a type returns itself (`items` of a mapping)."""
    if isinstance(function, types.FunctionType):
        return typing.get_type_hints(function).get("return", Any)
    return function if get_origin(function) else Any


def element(iterable: Any) -> Any:
    """Return the type of an iterable's items."""
    (iterable, *others) = _members(iterable)
    arguments = get_args(iterable)
    return arguments[0] if arguments and not others and set(arguments[1:]) <= {...} else Any


def _members(annotation: Any) -> list[Any]:
    """Return the types that a value can have, without None."""
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return [one for each in get_args(annotation) if each is not types.NoneType for one in _members(each)]
    if get_origin(annotation) is typing.Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) is typing.Literal:
        return [type(get_args(annotation)[0])]
    return [annotation]


def _bound(target: nodes.Node, value: Any) -> Iterator[tuple[str, Any]]:
    """Return the names that a loop or an assignment sets."""
    if isinstance(target, nodes.Name):
        yield target.name, value
    elif isinstance(target, nodes.Tuple):
        parts = get_args(value) if get_origin(value) is tuple else ()
        for position, item in enumerate(target.items):
            yield from _bound(item, parts[position] if len(parts) == len(target.items) else Any)
