"""docs/outputs.schema.json: the contract as JSON schema. `python -m model.outputs.schema` renews it."""

import json
from pathlib import Path

from model.outputs.contract import Outputs

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "outputs.schema.json"


def schema_text() -> str:
    """Return the file's content."""
    # The schema of written outputs: fields with a default are always present.
    return json.dumps(Outputs.model_json_schema(mode="serialization"), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text())
