"""Write docs/settings.schema.json for editors and docs/settings.md for readers, from the settings' model."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model.overrides_file import OVERRIDES
from model.settings import Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"
SCHEMA_FILE = DOCS / "settings.schema.json"
REFERENCE_FILE = DOCS / "settings.md"

_MODEL = Settings.model_json_schema()

# The form of an encrypted value in a stack file; only the engine can decrypt it.
ENCRYPTED = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}
INTRODUCTION = """# Settings

Every key of a stack file, `Pulumi.<stack>.yaml`; `make generate` writes this page from the model. Top-level keys are
below `config:` and have the prefix `idr:`; the keys inside them have none. Editors with the YAML language server check
them as you type: the first line of the stack file names the JSON schema ([settings.schema.json](settings.schema.json)).

A second file can change the settings of a stack file, for example for one site or for a test. `idr:overrides` names it.
It is YAML with the same keys, without `idr:`. Mappings are merged key by key. Every other value, also a list, replaces
the value of the stack file. `null` removes a key. `idr settings` shows the result, and the file of each value.

Both files are YAML as Pulumi reads it: `no`, `on` and `12:48` are text; write quotes around a date, and around a name
that consists of digits; each key appears once; only the first document is read. Text can be encrypted with `pulumi
config set --secret`, also inside a mapping (`--path idr:proxies.http`). Encrypt the address of a proxy if it contains a
password.
"""


def schema_text() -> str:
    """Return the JSON schema of a stack file."""
    properties = {f"idr:{key}": _encrypted(value) for key, value in _MODEL["properties"].items()}
    properties[f"idr:{OVERRIDES}"] = {"type": "string", "description": "A YAML file of settings on top of this one"}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of the IDR deployment",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": properties,
                "patternProperties": {"^(?!idr:)": True},
                "additionalProperties": False,
                "required": [f"idr:{key}" for key in _MODEL["required"]],
            }
        },
        "required": ["config"],
        "$defs": _encrypted(_MODEL["$defs"]),
    }
    return json.dumps(document, indent=2) + "\n"


def _encrypted(schema: Any) -> Any:
    """Return the schema with secrets (pydantic's `writeOnly`) in their encrypted form."""
    if isinstance(schema, list):
        return [_encrypted(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("writeOnly"):
        return ENCRYPTED | {key: schema[key] for key in ("description",) if key in schema}
    return {key: _encrypted(value) for key, value in schema.items()}


def reference_text() -> str:
    """Return the reference: a table for the file, and one for each kind of section."""
    kinds = {name: about for name, about in _MODEL["$defs"].items() if "properties" in about}
    sections = {"The stack": _MODEL, **kinds}
    return INTRODUCTION + "".join(_section(name, about) for name, about in sections.items())


def _section(name: str, about: dict[str, Any]) -> str:
    lines = [f"\n## {name}\n", about.get("description", "").replace("\n", " "), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|", *_rows(about)]
    return "\n".join(lines) + "\n"


def _rows(about: dict[str, Any]) -> Iterator[str]:
    for key, value in about["properties"].items():
        cells = (f"`{key}`", _kind(value), _default(key, about), value.get("description", ""))
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _default(key: str, about: dict[str, Any]) -> str:
    if key in about.get("required", []):
        return "required"
    default = about["properties"][key].get("default")
    # A section's own defaults are in its own table.
    return "none" if default in (None, [], {}) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _kind(value: dict[str, Any]) -> str:
    """Describe the type of a value in words."""
    if "$ref" in value:
        name = value["$ref"].removeprefix("#/$defs/")
        return _kind(_MODEL["$defs"][name]) if "enum" in _MODEL["$defs"][name] else f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_kind(one) for one in value["anyOf"] if one.get("type") != "null")
    if "oneOf" in value:
        return " or ".join(_kind(one) for one in value["oneOf"])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if value.get("type") == "array":
        return f"list of {_kind(value['items'])}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties") or next(iter(value["patternProperties"].values()))
        return f"mapping of names to {_kind(inner)}"
    if "minimum" in value:
        return f"{value['type']} from {value['minimum']} to {value['maximum']}"
    return str(value.get("format") or value.get("type", "anything"))


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text())
    REFERENCE_FILE.write_text(reference_text())
