"""The managed repository: filesets of one file each. A later transaction creates the image of the file."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import Ice
import omero
import omero.cmd
import omero.grid
import omero.model
from demo_image_server.servants import servant
from demo_image_server.sessions import Session
from demo_image_server.stateful import Stateful
from omero import api
from omero.rtypes import rlong, rstring

from stand_in.accounts import Account, Accounts
from stand_in.protocol import CHECKSUM, checksum

ROOT = Path("/data/OMERO/ManagedRepository")
MAGIC = b"II*\0"
"""The first bytes of a file that can be read here, as of a TIFF."""
_MAKE_FILESET = """
with new_fileset as (insert into fileset (owner_id) values (%s) returning id),
  file as (insert into originalfile (path, name) values (%s, %s) returning id)
insert into filesetentry (clientpath, fileset, originalfile) select %s, new_fileset.id, file.id from new_fileset, file
returning fileset, originalfile
"""
_MAKE_IMAGES = """
with images as (insert into image (name, fileset) values (%s, %s) returning id),
  linked as (insert into datasetimagelink (parent, child)
    select target, id from images, (select %s::bigint as target) as wanted where target is not null)
select id from images order by id
"""


@dataclass(frozen=True)
class Client:
    """A client of the server, and what its requests may use."""

    account: Account
    session: Session
    accounts: Accounts
    adapter: Any

    def proxy(self, proxy_class: Any, name: str) -> Any:
        """Return a proxy to a service of the session."""
        return proxy_class.uncheckedCast(self.adapter.createProxy(Ice.Identity(name, self.session.uuid)))

    def open(self, proxy_class: Any, skeleton: type, service: object) -> Any:
        """Start a service of the session, and return a proxy to it."""
        return self.proxy(proxy_class, self.session.open(servant(skeleton, service)))


def original_file(number: int, path: str, name: str) -> Any:
    """Make an OMERO file."""
    file = omero.model.OriginalFileI(number, True)
    file.path, file.name = rstring(path), rstring(name)
    return file


def can_be_read(file: Path) -> bool:
    """Return whether a file exists and begins as a file of images does."""
    return file.is_file() and file.read_bytes()[: len(MAGIC)] == MAGIC


class SharedResources:
    """omero.grid.SharedResources with one repository."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def repositories(self) -> Any:
        proxy = self._client.proxy(omero.grid.RepositoryPrx, "ManagedRepository")
        return omero.grid.RepositoryMap([_root()], [proxy])

    def areTablesEnabled(self) -> bool:
        return False


def _root() -> Any:
    return original_file(0, str(ROOT.parent), ROOT.name)


class ManagedRepository:
    """omero.grid.ManagedRepository."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def root(self) -> Any:
        return _root()

    def importFileset(self, fileset: Any, settings: Any) -> Any:
        """Create the fileset and the folder of its file; it has no images yet."""
        (entry,) = fileset.copyUsedFiles()
        if settings.checksumAlgorithm.value.val != CHECKSUM:
            raise omero.ApiUsageException(None, None, f"no such checksum here: {settings.checksumAlgorithm.value.val}")
        account, path = self._client.account, entry.clientPath.val
        moment = f"{time.strftime('%Y-%m/%d/%H-%M-%S')}.{secrets.token_hex(4)}"
        folder = f"{account.name}_{account.number}/{moment}/{Path(path).parent.name}/"
        name = Path(path).name
        ((number, file),) = self._client.accounts.ask(_MAKE_FILESET, account.number, folder, name, path)
        (ROOT / folder).mkdir(parents=True)
        process = ImportProcess(self._client, number, original_file(file, folder, name), settings)
        return self._client.open(omero.grid.ImportProcessPrx, omero.grid.ImportProcess, process)


class ImportProcess(Stateful):
    """omero.grid.ImportProcess of a fileset whose file is uploaded."""

    def __init__(self, client: Client, fileset: int, file: Any, settings: Any) -> None:
        self._client, self._fileset, self._file, self._settings = client, fileset, file, settings
        self._location = ROOT / file.path.val / file.name.val

    def getImportSettings(self) -> Any:
        return self._settings

    def getUploader(self, index: int) -> Any:
        uploader = Uploader(self._file.id.val, self._location)
        return self._client.open(api.RawFileStorePrx, api.RawFileStore, uploader)

    def verifyUpload(self, hashes: list[str]) -> Any:
        """Compare the checksum of the uploaded file with the client's, then create the images."""
        present = checksum(self._location)
        if hashes != [present]:
            raise omero.ChecksumValidationException(None, None, "checksums differ", {0: present})
        parent = omero.model.FilesetI(self._fileset, False)
        request = omero.grid.ImportRequest(activity=omero.model.FilesetJobLinkI(), settings=self._settings)
        request.activity.parent = parent
        return self._client.open(omero.cmd.HandlePrx, omero.cmd.Handle, Handle(request, self._imported()))

    def _imported(self) -> Any:
        if not can_be_read(self._location):
            why = {"message": f"loci.formats.FormatException: {self._location} is no TIFF"}
            return omero.cmd.ERR(omero.grid.ImportRequest.ice_staticId(), "import-request-failure", why)
        target = self._settings.userSpecifiedTarget
        name = self._settings.userSpecifiedName
        numbers = self._client.accounts.ask(
            _MAKE_IMAGES, name.val if name else self._file.name.val, self._fileset, target and target.id.val
        )
        return omero.grid.ImportResponse([], [omero.model.ImageI(number, False) for (number,) in numbers])


class Uploader(Stateful):
    """omero.api.RawFileStore of a file that is uploaded."""

    def __init__(self, file: int, location: Path) -> None:
        self._file, self._location = file, location

    def getFileId(self) -> Any:
        return rlong(self._file)

    def write(self, content: bytes, position: int, length: int) -> None:
        with self._location.open("r+b" if position else "wb") as out:
            out.seek(position)
            out.write(content[:length])


class Handle(Stateful):
    """omero.cmd.Handle of a command that has already ended."""

    def __init__(self, request: Any, response: Any) -> None:
        self._request, self._response = request, response

    def getRequest(self) -> Any:
        return self._request

    def getResponse(self) -> Any:
        return self._response

    def getStatus(self) -> Any:
        failed = isinstance(self._response, omero.cmd.ERR)
        return omero.cmd.Status(flags=[omero.cmd.State.FAILURE] if failed else [], currentStep=1, steps=1)

    def addCallback(self, callback: Any) -> None:
        """Keep no callback: clients also ask for the response themselves."""

    def removeCallback(self, callback: Any) -> None:
        """Do nothing: no callback was kept."""

    def cancel(self) -> bool:
        return False
