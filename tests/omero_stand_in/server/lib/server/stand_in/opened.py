"""Imported images as visitors see them: images of the demo's catalogue, as long as their own files are readable."""

from dataclasses import replace

import omero
from demo_image_server.catalogue import Catalogue, Entry, UserCatalogue
from demo_image_server.raw_pixels import RawPixels
from demo_image_server.users import VISITOR

from stand_in.accounts import Accounts
from stand_in.repository import ROOT, can_be_read

_NAME = "select name from image where id = %s and fileset is not null"
_FILE = """
select path, file.name from image join filesetentry entry on entry.fileset = image.fileset
  join originalfile file on file.id = entry.originalfile
where image.id = %s
"""


class WithImported(UserCatalogue):
    """The demo's catalogue. It also finds an imported image by its id."""

    def __init__(self, catalogue: Catalogue, accounts: Accounts) -> None:
        super().__init__(catalogue, VISITOR)
        self._accounts = accounts

    def imported(self, image_id: int) -> Entry | None:
        """Return an imported image, which is one of the catalogue's with another id and name."""
        for (name,) in self._accounts.ask(_NAME, image_id):
            return replace(self.entries()[0], image_id=image_id, image_name=name)
        return None

    def entry(self, image_id: int) -> Entry | None:
        return self.imported(image_id) or super().entry(image_id)


class StrictPixels(RawPixels):
    """omero.api.RawPixelsStore that reads the file of an imported image."""

    def __init__(self, catalogue: WithImported, accounts: Accounts) -> None:
        super().__init__(catalogue)
        self._accounts = accounts

    def setPixelsId(self, number: int, bypass: bool) -> None:
        super().setPixelsId(number, bypass)
        for path, name in self._accounts.ask(_FILE, number):
            if not can_be_read(ROOT / path / name):
                raise omero.ResourceError(None, None, f"Error instantiating pixel buffer: {ROOT / path / name}")
