"""The fields of a flow in a file: ports, transport, and its reason."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from model.field_types import Shape

Transport = Literal["tcp", "udp"]
LAST_PORT = 65535
MOST_PORTS = 100
"""Ports of one flow. Each becomes a rule of its own, and a project's quota of rules is small."""


def _ports(values: Any) -> Any:
    """Return the port numbers of a list of numbers and ranges, such as "14060-14079"."""
    return [port for one in values for port in _range(one)] if isinstance(values, list | tuple) else values


def _range(one: Any) -> list[Any]:
    first, dash, last = one.partition("-") if isinstance(one, str) else ("", "", "")
    if not (dash and _is_number(first) and _is_number(last)):
        return [one]
    if not int(first) <= int(last) <= LAST_PORT:
        msg = f"'{one}' is no range of ports"
        raise ValueError(msg)
    return list(range(int(first), int(last) + 1))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PORT))


Port = Annotated[int, Field(ge=1, le=LAST_PORT, strict=True)]
Ports = Annotated[tuple[Port, ...], BeforeValidator(_ports, json_schema_input_type=list[int | str])]
# Both firewalls keep it as a comment: nftables in quotes, at most 128 bytes; Neutron at most 255.
Reason = Annotated[
    str, Shape("(?! )[ !#-\\[\\]-~]{1,100}(?<! )", "one line of at most 100 letters, without quotes and backslashes")
]


def port_problems(ports: Iterable[int]) -> Iterator[str]:
    """Yield that there is no port, too many, or one twice."""
    counted = Counter(ports)
    if not 1 <= counted.total() <= MOST_PORTS:
        yield f"ports: name 1 to {MOST_PORTS}, not {counted.total()}"
    twice = sorted(port for port, times in counted.items() if times > 1)
    if twice:
        yield f"ports: {', '.join(map(str, twice))} twice"
