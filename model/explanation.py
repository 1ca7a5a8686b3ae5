"""Explain pydantic's errors about settings in plain words."""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from model import hosts
from model.field_types import SEALED
from model.plain_secrets import PASSWORD_IN_ADDRESS
from model.spelling import instead

UNSHOWN = ("password", "secret", "token", "certificate", "operators", "proxies", "authority")
"""Parts of keys whose values may contain secrets: messages never repeat these values."""

LONGEST_SHOWN = 80
MOST_NAMED: Final = 12
"""The most keys that a message lists."""
_NO_MAPPING = ("dict_type", "model_type", "model_attributes_type")
_WITHOUT_VALUE = ("missing", "extra_forbidden", *_NO_MAPPING, "too_short", "too_long")


def problems(item: ErrorDetails, key: str) -> list[str]:
    """Return the problems of the value at `key`, with the value unless it may be secret."""
    if item["input"] == SEALED:
        return ["is encrypted, which only secrets may be: write it in plain text"]
    word = _WORDS.get(item["type"])
    texts = [word(item)] if word else item["msg"].removeprefix("Value error, ").splitlines()
    if item["type"] in _WITHOUT_VALUE or not _may_show(item["input"], key):
        return texts
    value = repr(item["input"])
    shown = value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "..."
    return [f"{text} (given: {shown})" for text in texts]


def lines(error: ValidationError, whole: type[BaseModel], reference: str) -> Iterator[str]:
    """Yield every mistake in a file whose fields `whole` has, with the field; `reference` is the page that has all."""
    for item in error.errors():
        path = [str(part) for part in item["loc"] if part != "[key]"]
        field = ".".join(path)
        hint = suggestion(path, whole, reference) if item["type"] == "extra_forbidden" else ""
        yield from (f"{field}: {problem}{hint}" if field else f"{problem}{hint}" for problem in problems(item, field))


def suggestion(path: Sequence[str], model: type[BaseModel], reference: str) -> str:
    """Suggest a setting for the last key of a path, which is unknown: the end of a message.

    `reference` is the page that has all keys.
    """
    sections = {model}
    for key in path[:-1]:
        # Names and numbers of entries are no keys: they stay in the same sections.
        fields = [field for section in sections for field in section.model_fields.values() if field.alias == key]
        sections = {section for field in fields for section in _sections(field.annotation)} or sections
    known = {field.alias or name for section in sections for name, field in section.model_fields.items()}
    above, _, below = path[-1].partition(".")
    if below and above in known:
        return f"; write '{below}' below '{above}' (with `pulumi config set`: --path)"
    # The key may exist in another kind of entry; do not suggest it again.
    hint = instead(path[-1], known - {path[-1]})
    return f"; {hint}" if len(known) <= MOST_NAMED or hint.endswith("?") else f"; {reference} has all"


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)


def _may_show(value: Any, key: str) -> bool:
    if isinstance(value, dict | list) or any(word in key.lower() for word in UNSHOWN):
        return False
    text = str(value)
    return "PRIVATE KEY" not in text and not PASSWORD_IN_ADDRESS.search(text)


def _network(item: ErrorDetails) -> str:
    value = item["input"]
    try:
        network = IPv4Network(value, strict=False) if hosts.is_dotted(value) else None
    except ValueError:
        network = None
    if network is None:
        return "must be an IPv4 network, as in 192.168.130.0/24"
    return f"must be an IPv4 network, and this has host bits set: {network}?"


def _list(item: ErrorDetails) -> str:
    value = item["input"]
    return f"must be a list, as in [{value}]" if isinstance(value, str) and value.isalnum() else "must be a list"


def _text(item: ErrorDetails) -> str:
    value = item["input"]
    if item["loc"][-1] == "mode":
        return 'must be a mode in quotes, as in "0640": without quotes it is a number'
    quoted = f", as in '{value}'" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f"must be text: put it in quotes{quoted}" if isinstance(value, int | float) else "must be text"


def _choice(item: ErrorDetails) -> str:
    return f"must be one of {item['ctx']['expected'].replace(' or ', ', ')}"


def _bound(words: str, name: str) -> Callable[[ErrorDetails], str]:
    return lambda item: f"must be {words} {item['ctx'][name]}"


def _always(text: str) -> Callable[[ErrorDetails], str]:
    return lambda _: text


_WORDS: dict[str, Callable[[ErrorDetails], str]] = {
    "extra_forbidden": _always("is not a setting"),
    "missing": _always("is required"),
    **dict.fromkeys(_NO_MAPPING, _always("must be a mapping of keys to values")),
    **dict.fromkeys(("tuple_type", "list_type"), _list),
    "string_type": _text,
    "too_short": _always("must have at least one entry"),
    "too_long": lambda item: f"must have at most {item['ctx']['max_length']} entries",
    **dict.fromkeys(("enum", "literal_error"), _choice),
    "union_tag_not_found": lambda item: f"needs {item['ctx']['discriminator']}",
    "union_tag_invalid": lambda item: f"{item['ctx']['discriminator']} must be one of {item['ctx']['expected_tags']}",
    "greater_than_equal": _bound("at least", "ge"),
    "less_than_equal": _bound("at most", "le"),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size", "finite_number"),
        _always("must be a whole number"),
    ),
    **dict.fromkeys(("bool_type", "bool_parsing"), _always("must be true or false")),
    "ip_v4_network": _network,
    "ip_v4_address": _always("must be an IPv4 address, as in 192.0.2.10"),
    **dict.fromkeys(
        ("url_type", "url_parsing", "url_scheme", "url_syntax_violation", "url_too_long"),
        _always("must be an address, as in https://www.example.org/file"),
    ),
    **dict.fromkeys(
        ("uuid_type", "uuid_parsing", "uuid_version"),
        _always("must be an id of the cloud, as in 3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    ),
}
