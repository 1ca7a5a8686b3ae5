"""Find the files beside a list by its name, such as idr0001-screenA-renderdef.yml beside idr0001-screenA-bulk.yml."""

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import yaml

from idr.errors import IdrError
from idr.importer.beside import ANNOTATION, KEYS, RENDERING, Beside
from idr.importer.rows import RowError


def read(file: Path) -> dict[str, Any]:
    """Read the files beside a list, as the node takes them. Raises IdrError for a file that OMERO would refuse."""
    start = file.with_name(stem(file))
    contents: dict[str, Any] = {}
    for kind in (RENDERING, KEYS):
        settings = start.with_name(f"{start.name}-{kind}.yml")
        if settings.exists():
            contents[kind] = _settings(settings)
    tables = [start.with_name(f"{start.name}-{ANNOTATION}{ending}") for ending in (".csv", ".csv.gz")]
    existing = [table for table in tables if table.exists()]
    if len(existing) > 1:
        raise IdrError(f"{existing[0]}: exists also as {existing[1].name}; keep one of them")
    if existing:
        contents[ANNOTATION] = base64.b64encode(_table(existing[0])).decode()
    try:
        Beside.of(contents)
    except RowError as error:
        raise IdrError(f"{start}: {error}") from None
    return contents


def stem(file: Path) -> str:
    """Return the common beginning of the names of a list and the files beside it."""
    return file.stem.removesuffix("-bulk")


def _settings(file: Path) -> Any:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
        # The numbers of channels become texts, which OMERO takes too.
        return json.loads(json.dumps(content))
    except OSError as error:
        raise IdrError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise IdrError(f"{file}: no settings in YAML: {' '.join(str(error).split())[:200]}") from None


def _table(file: Path) -> bytes:
    """Read a table and compress it, to the same bytes each time. Raises IdrError."""
    try:
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        header = content.decode("utf-8-sig").partition("\n")[0]
    except (OSError, EOFError, zlib.error) as error:
        raise IdrError(f"{file}: cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise IdrError(f"{file}: is not in UTF-8") from None
    if "," not in header:
        raise IdrError(f"{file}: its first line has no columns, separated by commas")
    return gzip.compress(content, mtime=0)
