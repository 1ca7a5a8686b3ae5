"""The schema for editors and the reference for readers agree with the model."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from harness import stacks
from model.schema import REFERENCE_FILE, SCHEMA_FILE, reference_text, schema_text
from model.settings import Settings

RENEW = "renew it with: make generate"


def test_the_published_schema_and_reference_are_those_of_the_model() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), RENEW
    assert REFERENCE_FILE.read_text() == reference_text(), RENEW


@pytest.mark.parametrize("stack", stacks.LAYOUTS)
def test_every_stack_file_is_as_the_schema_says(stack: str) -> None:
    jsonschema.validate(yaml.safe_load(stacks.LAYOUTS[stack].read_text()), json.loads(schema_text()))


def test_the_schema_refuses_a_key_that_is_no_setting() -> None:
    document = yaml.safe_load(stacks.LAYOUTS["ebi"].read_text())
    document["config"]["idr:colour"] = "blue"
    with pytest.raises(jsonschema.ValidationError, match="idr:colour"):
        jsonschema.validate(document, json.loads(schema_text()))


def test_every_setting_says_what_it_means() -> None:
    def unexplained(about: dict[str, Any]) -> list[str]:
        return [key for key, value in about.get("properties", {}).items() if not value.get("description")]

    model = Settings.model_json_schema()
    assert {name: keys for name, about in (*model["$defs"].items(), ("", model)) if (keys := unexplained(about))} == {}


def test_the_project_file_says_of_its_keys_what_the_model_says() -> None:
    config = yaml.safe_load((stacks.ROOT / "Pulumi.yaml").read_text())["config"]
    model = Settings.model_json_schema()
    assert set(model["required"]) <= set(config)
    for key, about in config.items():
        known = model["properties"][key]
        assert about["description"] == known["description"]
        assert ("default" in about) == (key not in model["required"])
        assert about.get("default") == known.get("default")
