"""Replaces ome.formats.importer.cli.CommandLineImporter: the same options, queries, output and exit statuses.

It imports each file `*.tiff` as a fileset. The file OMERODIR/pause names a path. After creating the fileset of that
path, the importer waits until the file is removed.
"""

import getopt
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import omero
import omero.clients
import omero.grid
import omero.model
from omero.rtypes import rstring

from stand_in.protocol import IMPORTED, NAMED, checksum

PAUSE = Path(os.environ["OMERODIR"], "pause")
SHORT = "cfl:s:u:w:d:r:T:k:x:n:p:h"
FLAGS = """
report upload logs no-thumbnails advanced-help close-completed wait-completed auto-close no-stats-info no-upgrade-check
"""
VALUES = """
email name description agent annotation-ns annotation-text annotation-link transfer checksum-algorithm minutes-wait
exclude target qa-baseurl output encrypted parallel-upload parallel-fileset readers keep-alive
"""


class Importer:
    """One run of the importer."""

    def __init__(self, options: dict[str, str]) -> None:
        self._options = options
        self._client = omero.client(options["-s"], int(options["-p"]))
        self._session = self._client.joinSession(options["-k"])
        self._session.detachOnDestroy()
        # OMERO's importer opens a connection without TLS, unless --encrypted is true.
        self._unencrypted = self._client.createClient(options.get("--encrypted") == "true")
        self._session = self._unencrypted.getSession()
        self._session.detachOnDestroy()
        self._query = self._session.getQueryService()
        (root,) = self._session.sharedResources().repositories().descriptions
        (proxy,) = self._session.sharedResources().repositories().proxies
        self._root = Path(root.path.val) / root.name.val
        self._repository = omero.grid.ManagedRepositoryPrx.checkedCast(proxy)

    def close(self) -> None:
        """Close both connections; the session stays."""
        self._unencrypted.__del__()
        self._client.__del__()

    def __call__(self, files: list[Path]) -> int:
        """Import the files; return the exit status."""
        errors = filesets = 0
        for file in files:
            try:
                filesets += self._one(file)
            except Exception as error:  # noqa: BLE001  # as OMERO's, which goes on with -c
                errors += 1
                print_message(f"ERROR: Error on import: {' '.join(str(error).split())}")
                if "-c" not in self._options:
                    break
        print_message(f"\n==> Summary\n{filesets} files uploaded, {filesets} filesets created, {errors} errors")
        return 2 if errors and "-c" not in self._options else 0

    def _one(self, file: Path) -> bool:
        target = self._target()
        if self._options.get("--exclude") == "clientpath" and self._has(file):
            print_message(f"ClientPath match for filename: {file}")
            return False
        process = self._repository.importFileset(fileset_of(file), self._settings(target))
        self._link(file, process)
        while PAUSE.exists() and PAUSE.read_text().strip() == str(file):
            time.sleep(0.1)
        handle = process.verifyUpload([checksum(file)])
        process.close()
        fileset = handle.getRequest().activity.parent.id.val
        response = handle.getResponse()
        handle.close()
        if isinstance(response, omero.cmd.ERR):
            print_message(f"ERROR: INTERNAL_EXCEPTION: {file}\nCaused by: {response.parameters['message']}")
            raise RuntimeError("Import failure")
        print_yaml(fileset, [image.id.val for image in response.objects])
        return True

    def _target(self) -> Any:
        """Return the dataset of the option's name or id; create it if the name is new. Nothing locks."""
        wanted = self._options.get("--target") or self._options.get("-T")
        if not wanted:
            return None
        kind, how, name = wanted.split(":", 2) if wanted.count(":") > 1 else (*wanted.split(":"), "")
        if kind != "Dataset" or (name and how != "name"):
            raise ValueError(f"the stand-in takes no such target: {wanted}")
        if not name:
            return self._query.get("Dataset", int(how))
        datasets = self._query.findAllByQuery(NAMED, omero.sys.ParametersI().add("name", rstring(name)))
        if not datasets:
            dataset = omero.model.DatasetI()
            dataset.name = rstring(name)
            datasets = [self._session.getUpdateService().saveAndReturnObject(dataset)]
        return self._query.get("Dataset", datasets[0].id.val)

    def _has(self, file: Path) -> bool:
        parameters = omero.sys.ParametersI().add("clientPath", rstring(str(file).lstrip("/"))).page(0, 100)
        return bool(self._query.findAllByQuery(IMPORTED, parameters))

    def _settings(self, target: Any) -> Any:
        settings = omero.grid.ImportSettings(userSpecifiedTarget=target)
        name = self._options.get("--name") or self._options.get("-n")
        settings.userSpecifiedName = rstring(name) if name else None
        settings.checksumAlgorithm = omero.model.ChecksumAlgorithmI()
        settings.checksumAlgorithm.value = rstring(self._options.get("--checksum-algorithm", "SHA1-160"))
        return settings

    def _link(self, file: Path, process: Any) -> None:
        """Replace the server's file by a link: an importing user needs write access to the server's folders."""
        store = process.getUploader(0)
        original = self._query.get("OriginalFile", store.getFileId().val)
        location = self._root / original.path.val / original.name.val
        if location.exists():
            raise RuntimeError(f"{location} exists!")
        text = os.urandom(16).hex().encode()
        store.write(text, 0, len(text))
        store.close()
        if location.read_bytes() != text:
            raise RuntimeError(f"Check text not found in {location}")
        location.unlink()
        subprocess.run(["ln", "-s", file, location], check=True)


def fileset_of(file: Path) -> Any:
    """Describe a file to the server."""
    entry = omero.model.FilesetEntryI()
    entry.clientPath = rstring(str(file).lstrip("/"))
    fileset = omero.model.FilesetI()
    fileset.addFilesetEntry(entry)
    return fileset


def print_yaml(fileset: int, images: list[int]) -> None:
    """Print the result as `--output=yaml` does."""
    print_message("Imported objects:")
    print(f"---\n- Fileset: {fileset}\n  Image: [{','.join(map(str, images))}]", flush=True)


def print_message(text: str) -> None:
    """Print a line for people."""
    print(text, file=sys.stderr, flush=True)


def usage(why: str) -> NoReturn:
    """Print why, and the usage; end as OMERO's importer does."""
    print_message(f"{why}\n\n Usage:  importer-cli [OPTION]... [path [path ...]]... ")
    sys.exit(1)


def parsed(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Parse the words into options, named with their dashes, and paths."""
    try:
        pairs, paths = getopt.gnu_getopt(words, SHORT, [*FLAGS.split(), *(f"{name}=" for name in VALUES.split())])
    except getopt.GetoptError as error:
        usage(str(error))
    options = dict(pairs)
    if len(options) < len(pairs):
        usage(f"Conflicting arguments: {words}")
    expected = {"--transfer": "ln_s", "--output": "yaml"}
    if any(options.get(name) != value for name, value in expected.items()):
        usage(f"the stand-in needs {expected}: {words}")
    if not {"-s", "-p", "-k"} <= set(options):
        usage("no server, port or session")
    return options, paths


def candidates(paths: list[str]) -> Iterator[Path]:
    """Iterate over the files that can be read as images."""
    for path in map(Path, paths):
        yield from (file for file in sorted(path.rglob("*") if path.is_dir() else [path]) if file.suffix == ".tiff")


def main(words: list[str]) -> int:
    """Run; return the exit status."""
    options, paths = parsed(words)
    files = list(candidates(paths))
    try:
        importer = Importer(options)
    except Exception as error:  # noqa: BLE001  # as OMERO's
        print_message(f"ERROR: Error during import process. {type(error).__name__}: {error}")
        return 2
    try:
        return importer(files) if files else usage("No imports found")
    finally:
        importer.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
