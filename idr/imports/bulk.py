"""Lists of images to import: the files that `omero import --bulk` takes, as the IDR publishes them, or a list in YAML.

A bulk file is a mapping: options of the importer, `path` (a file of rows), `columns` (what each column of it is) and
`include` (another bulk file, whose keys this one overrides).
"""

import csv
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from idr.errors import IdrError
from idr.importer.rows import OPTIONS, SKIPPED, Row

TARGETS = {"target": "", "T": "", "d": "Dataset", "r": "Screen"}
SHORT = {"n": "name", "x": "description", "c": "continue", "plate_name": "name", "plate_description": "description"}
DECIDED = {"transfer": "ln_s", "exclude": "clientpath"}
"""Options that this program always sets. A list may set the same values."""
WITHOUT_EFFECT = ("output", "logprefix", "file", "errs", "no_upgrade_check")
"""Options of the importer that have no effect here: the node sets its output and its logs itself."""
KEYS = ("path", "target", *sorted(OPTIONS))
"""The keys of a row in a YAML list."""
ROWS = (".tsv", ".csv", ".txt")
INTEGERS = {"depth": 0, "parallel_fileset": 1, "parallel_upload": 1}
"""Options that are integers, each with its minimum."""
CHECKSUMS = ("Adler-32", "CRC-32", "File-Size-64", "MD5-128", "Murmur3-128", "Murmur3-32", "SHA1-160")
TARGET = re.compile("(Dataset|Project|Screen|regex):.*[^:]", re.DOTALL)
STEPS = {"no_thumbnails": "thumbnails", "no_stats_info": "minmax"}


def read(file: Path) -> list[Row]:
    """Read a list. Raises IdrError, with file and line, for an invalid list."""
    if file.suffix in ROWS:
        raise IdrError(f"{file}: is a file of rows; give the YAML file that names it as 'path', and its 'columns'")
    content = _yaml(file)
    if isinstance(content, list):
        entries = [(f"{file}, entry {number}", entry) for number, entry in enumerate(content, 1)]
        rows = [row(where, entry) for where, entry in entries]
    elif isinstance(content, dict):
        rows = list(_bulk(file, content))
    else:
        raise IdrError(f"{file}: neither a mapping with 'path', as a bulk file is, nor a list of rows")
    if not rows:
        raise IdrError(f"{file}: there are no rows in it")
    return rows


def _bulk(file: Path, content: dict[str, Any]) -> Iterator[Row]:
    keys = _with_included(file, content, ())
    keys.pop("include", None)
    if str(keys.pop("dry_run", False)).lower() != "false":
        raise IdrError(f"{file}: has 'dry_run'; take it out, or give --check")
    columns, path = keys.pop("columns", None), keys.pop("path", None)
    if not isinstance(path, str):
        raise IdrError(f"{file}: has no 'path', the name of a file with rows")
    if not isinstance(columns, list | None):
        raise IdrError(f"{file}: 'columns' is no list of names")
    if twice := next((one for one in columns or () if (columns or []).count(one) > 1), None):
        raise IdrError(f"{file}: 'columns' has {twice} twice")
    for line, cells in _lines(file.parent / path, columns is not None):
        where = f"{file.parent / path}, line {line}"
        yield row(where, keys | _named(where, columns or ["path"], cells))


def _with_included(file: Path, content: dict[str, Any], seen: Sequence[Path]) -> dict[str, Any]:
    own = {str(key).replace("-", "_"): value for key, value in content.items()}
    if "include" not in own:
        return own
    other = (file.parent / str(own["include"])).resolve()
    if other in seen:
        raise IdrError(f"{file}: includes {other}, which includes it")
    included = _yaml(other)
    if not isinstance(included, dict):
        raise IdrError(f"{other}: no bulk file")
    return _with_included(other, included, (*seen, other)) | own


def _named(where: str, columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) < len(columns):
        raise IdrError(f"{where}: has {len(cells)} columns instead of {len(columns)} ({', '.join(columns)})")
    return {str(column).replace("-", "_"): cell for column, cell in zip(columns, cells, strict=False)}


def _lines(file: Path, has_columns: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of each row, read as OMERO reads a file with this ending. Empty lines are skipped."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise IdrError(f"{file}: {getattr(error, 'strerror', None) or 'is not in UTF-8'}") from None
    delimiter = {".tsv": "\t", ".csv": ","}.get(file.suffix)
    if has_columns and delimiter:
        reader = csv.reader(StringIO(text), delimiter=delimiter)
        try:
            yield from ((reader.line_num, cells) for cells in reader if any(cells))
        except csv.Error as error:
            raise IdrError(f"{file}, line {reader.line_num}: {error}") from None
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _words(f"{file}, line {number}", line) if has_columns else [line.strip()]


def _words(where: str, line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise IdrError(f"{where}: {error}") from None


def row(where: str, keys: Any) -> Row:
    """Create a row from the importer's keys. `where` is for messages. Raises IdrError."""
    if not isinstance(keys, Mapping) or not isinstance(keys.get("path"), str):
        raise IdrError(f"{where}: has no 'path'")
    values = {str(key).replace("-", "_"): value for key, value in keys.items() if value is not None}
    path = values.pop("path")
    if odd := next((key for key, value in values.items() if isinstance(value, dict | list) and key != "skip"), None):
        raise IdrError(f"{where}: {odd} has a value that is no text")
    _refuse_others(where, values)
    targets = [f"{kind}:{value}" if kind else str(value) for kind, value in _targets(values)]
    if len(targets) > 1:
        raise IdrError(f"{where}: has more than one target: {', '.join(targets)}")
    if wrong := next((target for target in targets if target and not TARGET.fullmatch(target)), None):
        raise IdrError(f"{where}: target '{wrong}' is none, as Screen:7, Dataset:name:x, Project:name:x/Dataset:name:y")
    options = {SHORT.get(key, key): value for key, value in values.items()}
    _check_values(where, options)
    unknown = sorted(set(options) - OPTIONS)
    if unknown:
        raise IdrError(f"{where}: cannot have {', '.join(unknown)}; possible are {', '.join(KEYS)}")
    if any("\0" in str(value) for value in (path, *targets, *options.values())):
        raise IdrError(f"{where}: has a character of code 0, which no command line can have")
    texts: dict[str, str | list[str]] = {}
    texts |= {key: str(value) for key, value in options.items() if key not in ("skip", "continue") and value != ""}
    if skipped := _skipped(where, options.get("skip", [])):
        texts["skip"] = skipped
    if str(options.get("continue", "false")).lower() == "true":
        texts["continue"] = "true"
    return Row(path, targets[0] if targets else None, texts)


def _check_values(where: str, options: Mapping[str, Any]) -> None:
    """Refuse values that OMERO's importer would refuse row by row. Raises IdrError."""
    for key, minimum in INTEGERS.items():
        # A cell may be empty.
        value = str(options.get(key, "")) or str(minimum)
        if not value.isdecimal() or int(value) < minimum:
            from_least = f" from {minimum}" if value.isdecimal() else ""
            raise IdrError(f"{where}: '{key}' is a whole number{from_least}, and not {value}")
    checksum = options.get("checksum_algorithm") or CHECKSUMS[0]
    if checksum not in CHECKSUMS:
        raise IdrError(f"{where}: 'checksum_algorithm' knows {', '.join(CHECKSUMS)}, and not {checksum}")


def _targets(values: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Remove and return the targets of the images."""
    return [(kind, values.pop(key)) for key, kind in TARGETS.items() if key in values]


def _refuse_others(where: str, values: dict[str, Any]) -> None:
    """Remove the options that this program sets. Raises IdrError for other values of them."""
    for key, value in DECIDED.items():
        if str(values.pop(key, value)) != value:
            raise IdrError(f"{where}: '{key}' can only be {value}: images are imported in place, and once")
    for key in WITHOUT_EFFECT:
        values.pop(key, None)
    for key, step in STEPS.items():
        if str(values.pop(key, False)).lower() == "true":
            values["skip"] = [*_skipped(where, values.get("skip", [])), step]


def _skipped(where: str, values: Any) -> list[str]:
    steps = [str(step) for step in (values if isinstance(values, list) else [values])]
    if wrong := [step for step in steps if step not in SKIPPED]:
        raise IdrError(f"{where}: 'skip' knows {', '.join(SKIPPED)}, and not {', '.join(wrong)}")
    return steps


def _yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise IdrError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise IdrError(f"{file}: no YAML: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise IdrError(f"{file}: no YAML: nested too deeply") from None
