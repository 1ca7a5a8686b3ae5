"""Finds what lies beside a list, by its name: of idr0001-screenA-bulk.yml, idr0001-screenA-renderdef.yml and so on."""

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
    """What lies beside a list, as the node takes it. Raises IdrError when something of it is of no use to OMERO."""
    start = file.with_name(stem(file))
    found: dict[str, Any] = {}
    for kind in (RENDERING, KEYS):
        settings = start.with_name(f"{start.name}-{kind}.yml")
        if settings.exists():
            found[kind] = _settings(settings)
    tables = [start.with_name(f"{start.name}-{ANNOTATION}{ending}") for ending in (".csv", ".csv.gz")]
    there = [table for table in tables if table.exists()]
    if len(there) > 1:
        raise IdrError(f"{there[0]}: is there as {there[1].name} too; keep one of them")
    if there:
        found[ANNOTATION] = base64.b64encode(_table(there[0])).decode()
    try:
        Beside.of(found)
    except RowError as error:
        raise IdrError(f"{start}: {error}") from None
    return found


def stem(file: Path) -> str:
    """The name that a list, and what lies beside it, begin with."""
    return file.stem.removesuffix("-bulk")


def _settings(file: Path) -> Any:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
        # Numbers of channels become text, which OMERO takes as well.
        return json.loads(json.dumps(content))
    except OSError as error:
        raise IdrError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise IdrError(f"{file}: no settings in YAML: {' '.join(str(error).split())[:200]}") from None


def _table(file: Path) -> bytes:
    """A table, compressed: the same each time. Raises IdrError."""
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
