"""What `omero metadata` asks and makes: datasets with their images, tables, and annotations with keys and values."""

import threading
from typing import Any

import omero
import omero.grid
import omero.model
from demo_image_server import objects
from demo_image_server.queries import plain
from demo_image_server.stateful import Stateful
from demo_image_server.users import VISITOR
from omero.rtypes import rlong, rstring

from stand_in.accounts import Accounts
from stand_in.protocol import A_DATASET, A_GROUP, A_TABLE, ITS_DATASET, ITS_IMAGES
from stand_in.repository import Client, SharedResources, original_file

_DATASET = "select id, name from dataset where id = %s"
_FILE = "insert into originalfile (path, name) values ('', %s) returning id, path, name"
_IN_DATASET = """
select i.id, i.name from datasetimagelink l join image i on i.id = l.child where l.parent = %s order by i.id desc
limit %s offset %s
"""
_TABLE_OF = """
select a.file from datasetannotationlink l join annotation a on a.id = l.child
where l.parent = %s and a.ns = %s order by l.id
"""
_ANNOTATION = "insert into annotation (ns, file) values (%s, %s) returning id"
_VALUE = "insert into annotation_mapvalue (annotation_id, name, value) values (%s, %s, %s)"
_LINKS = {
    omero.model.DatasetAnnotationLink: "insert into datasetannotationlink (parent, child) values (%s, %s)",
    omero.model.ImageAnnotationLink: "insert into imageannotationlink (parent, child) values (%s, %s)",
}
_tables: dict[int, list[Any]] = {}
_lock = threading.Lock()


class Table(Stateful):
    """omero.grid.Table: columns in memory, by the number of the file."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def getOriginalFile(self) -> Any:
        return self._file

    def initialize(self, columns: list[Any]) -> None:
        with _lock:
            _tables[self._file.id.val] = columns

    def addData(self, columns: list[Any]) -> None:
        with _lock:
            for kept, new in zip(_tables[self._file.id.val], columns, strict=True):
                if kept.name != new.name or type(kept) is not type(new):
                    raise omero.ApiUsageException(None, None, f"column {new.name} instead of {kept.name}")
                kept.values = [*kept.values, *new.values]

    def getHeaders(self) -> list[Any]:
        return _tables[self._file.id.val]

    def getNumberOfRows(self) -> int:
        return len(_tables[self._file.id.val][0].values)

    def readCoordinates(self, rows: list[int]) -> Any:
        if list(rows) != list(range(self.getNumberOfRows())):
            raise omero.ApiUsageException(None, None, "only whole tables are read here")
        return omero.grid.Data(0, list(rows), _tables[self._file.id.val])


def new_table(client: Client, name: str) -> Any:
    """A proxy to a new table."""
    (row,) = client.accounts.ask(_FILE, name)
    return client.open(omero.grid.TablePrx, omero.grid.Table, Table(original_file(*row)))


def open_table(client: Client, file: Any) -> Any:
    """A proxy to a table that is there."""
    if file.id.val not in _tables:
        raise omero.ValidationException(None, None, f"no table OriginalFile:{file.id.val}")
    return client.open(omero.grid.TablePrx, omero.grid.Table, Table(file))


class WithTables(SharedResources):
    """omero.grid.SharedResources that has tables, too."""

    def areTablesEnabled(self) -> bool:
        return True

    def newTable(self, repository: int, name: str) -> Any:
        return new_table(self._client, name)

    def openTable(self, file: Any) -> Any:
        return open_table(self._client, file)


class Datasets:
    """Datasets, as `omero metadata` asks for them; None where a question is another's."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def one(self, text: str, parameters: Any) -> Any:
        """The dataset of a query."""
        if not text.startswith(A_DATASET) and text != ITS_DATASET:
            return None
        named = plain(parameters)
        number = named.get("id") or named["ids"][0]
        return next((owned(dataset(*row)) for row in self._accounts.ask(_DATASET, number)), None)

    def images(self, text: str, parameters: Any) -> list[Any] | None:
        """The images in a dataset."""
        if text != ITS_IMAGES:
            return None
        page = parameters.theFilter
        asked = self._accounts.ask(_IN_DATASET, plain(parameters)["id"], page.limit.val, page.offset.val)
        return [named(omero.model.ImageI(number, True), name) for number, name in asked]

    def rows(self, text: str, parameters: Any) -> list[list[Any]] | None:
        """The group of a dataset, or the table that is annotated to it."""
        if text.startswith(A_GROUP):
            return [[rlong(objects.PUBLIC_GROUP_ID)]]
        if " ".join(text.split()) != A_TABLE:
            return None
        given = plain(parameters)
        return [[rlong(file)] for (file,) in self._accounts.ask(_TABLE_OF, given["id"], given["ns"])]


def dataset(number: int, name: str) -> Any:
    """One of OMERO's datasets."""
    return named(omero.model.DatasetI(number, True), name)


def named(item: Any, name: str) -> Any:
    """An object with its name."""
    item.name = rstring(name)
    return item


def owned(item: Any) -> Any:
    """An object with the details that clients ask for."""
    item.details.owner, item.details.group = objects.experimenter(VISITOR), objects.group()
    item.details.permissions = omero.model.PermissionsI("rwra--")
    item.details.permissions._restrictions = []
    return item


class Annotations:
    """What is linked to datasets and images."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def link(self, links: list[Any]) -> None:
        """Keep links with their annotations; one that several links share is one. Raises omero.SecurityViolation."""
        made: dict[int, int] = {}
        for link in links:
            statement = next((sql for kind, sql in _LINKS.items() if isinstance(link, kind)), None)
            if statement is None:
                raise omero.SecurityViolation(None, None, f"not linked here: {type(link).__name__}")
            if id(link.child) not in made:
                made[id(link.child)] = self._made(link.child)
            self._accounts.ask(statement, link.parent.id.val, made[id(link.child)])

    def _made(self, annotation: Any) -> int:
        file = annotation.file.id.val if isinstance(annotation, omero.model.FileAnnotation) else None
        ((number,),) = self._accounts.ask(_ANNOTATION, annotation.ns.val, file)
        if isinstance(annotation, omero.model.MapAnnotation):
            for one in annotation.getMapValue():
                self._accounts.ask(_VALUE, number, one.name, one.value)
        return int(number)
