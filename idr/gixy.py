"""Check the site's own nginx locations (`idr:site.locations`) with gixy, before they are installed."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from idr.errors import IdrError
from model.nginx_snippets import Snippet

# The blocks that cloudinit/proxy has around the locations, as far as gixy needs them. Paths are relative.
AROUND = "events {{\n}}\nhttp {{\n    server {{\n{includes}    }}\n}}\n"
# Instead of headers.conf, which is only on the node.
SKIPPED = "add_header_redefinition"


class GixyError(IdrError):
    """gixy is not installed, or failed."""


def findings(snippets: Sequence[Snippet]) -> list[str]:
    """Return gixy's findings of medium or high severity, a line each. Raises GixyError if gixy cannot check."""
    if not snippets:
        return []
    program = Path(sys.executable).with_name("gixy")
    if not program.exists():
        msg = "gixy is not installed here: idr:site.locations is not checked by it. `make toolchain` installs it"
        raise GixyError(msg)
    with tempfile.TemporaryDirectory() as folder:
        files = {str(Path(folder, f"{snippet.name}.conf")): snippet for snippet in snippets}
        for file, snippet in files.items():
            Path(file).write_text(snippet.text)
        config = Path(folder, "nginx.conf")
        config.write_text(AROUND.format(includes="".join(f"        include {file};\n" for file in files)))
        command = [str(program), "-ll", "-f", "json", "--skips", SKIPPED, str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            issues: list[dict[str, Any]] = json.loads(done.stdout)
        except ValueError:
            msg = f"gixy did not judge idr:site.locations: {done.stderr.strip() or 'no output'}"
            raise GixyError(msg) from None
    return [_line(one, files[one["file"]]) for one in issues if one.get("file") in files]


def _line(issue: dict[str, Any], snippet: Snippet) -> str:
    explanation = " ".join(filter(None, [issue["summary"], issue["reason"]]))
    return f"{snippet.path}: line {issue['line']}: gixy ({issue['severity'].lower()}): {explanation}"
