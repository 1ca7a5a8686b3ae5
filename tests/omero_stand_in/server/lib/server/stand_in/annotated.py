"""What `omero metadata` reads and writes: datasets with images, tables, and annotations with keys and values."""

import threading
from typing import Any

import omero
import omero.grid
import omero.model
from demo_image_server import objects
from demo_image_server.queries import plain
from demo_image_server.stateful import Stateful
from demo_image_server.users import VISITOR
from omero.rtypes import rlong, rstring, rtime

from stand_in.accounts import Accounts
from stand_in.protocol import A_DATASET, A_GROUP, A_TABLE, ITS_DATASET, ITS_IMAGES, ITS_NUMBERS, KEYS_OF, TABLES_OF
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
_NUMBERS = "select child from datasetimagelink where parent = any(%s)"
_KEYS_OF = {
    "Dataset": "select l.id from datasetannotationlink l join annotation a on a.id = child where file is null "
    "and parent = any(%s) and ns = any(%s)",
    "Image": "select l.id from imageannotationlink l join annotation a on a.id = child where file is null "
    "and parent = any(%s) and ns = any(%s)",
}
_TABLES_OF = """
select a.id, a.ns, a.file from datasetannotationlink l join annotation a on a.id = l.child
where l.parent = %s and a.file is not null
"""
_DELETE = {
    "DatasetAnnotationLink": "delete from datasetannotationlink where id = any(%s) returning child",
    "ImageAnnotationLink": "delete from imageannotationlink where id = any(%s) returning child",
    "FileAnnotation": "delete from datasetannotationlink where child = any(%s) returning child",
}
_ORPHANS = """
with orphans as (select id from annotation where id = any(%s) and id not in (select child from datasetannotationlink)
    and id not in (select child from imageannotationlink)),
  values as (delete from annotation_mapvalue where annotation_id in (select id from orphans))
delete from annotation where id in (select id from orphans)
"""
_LINKS = {
    omero.model.DatasetAnnotationLink: "insert into datasetannotationlink (parent, child) values (%s, %s)",
    omero.model.ImageAnnotationLink: "insert into imageannotationlink (parent, child) values (%s, %s)",
}
_tables: dict[int, list[Any]] = {}
_lock = threading.Lock()


class Table(Stateful):
    """omero.grid.Table: keeps columns in memory, by the id of the table's file."""

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
    """Return a proxy to a new table."""
    (row,) = client.accounts.ask(_FILE, name)
    return client.open(omero.grid.TablePrx, omero.grid.Table, Table(original_file(*row)))


def open_table(client: Client, file: Any) -> Any:
    """Return a proxy to an existing table. Raises omero.ValidationException."""
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
    """Answers the queries of `omero metadata` for datasets; None for any other query."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def one(self, text: str, parameters: Any) -> Any:
        """Return the dataset that a query asks for."""
        if not text.startswith(A_DATASET) and text != ITS_DATASET:
            return None
        named = plain(parameters)
        number = named.get("id") or named["ids"][0]
        return next((owned(dataset(*row)) for row in self._accounts.ask(_DATASET, number)), None)

    def tables(self, text: str) -> list[Any] | None:
        """Return the links from a dataset to its tables."""
        if not text.startswith(TABLES_OF):
            return None
        return [_link_to_table(*row) for row in self._accounts.ask(_TABLES_OF, int(text.rpartition("=")[2]))]

    def images(self, text: str, parameters: Any) -> list[Any] | None:
        """Return one page of the images in a dataset."""
        if text != ITS_IMAGES:
            return None
        page = parameters.theFilter
        asked = self._accounts.ask(_IN_DATASET, plain(parameters)["id"], page.limit.val, page.offset.val)
        return [named(omero.model.ImageI(number, True), name) for number, name in asked]

    def rows(self, text: str, parameters: Any) -> list[list[Any]] | None:
        """Return the group of a dataset, its images, or the annotations of either."""
        if text.startswith(A_GROUP):
            return [[rlong(objects.PUBLIC_GROUP_ID)]]
        given = plain(parameters)
        if text == ITS_NUMBERS:
            return [[rlong(number)] for (number,) in self._accounts.ask(_NUMBERS, given["ids"])]
        for kind, asked in _KEYS_OF.items():
            if text == KEYS_OF.format(kind):
                return [[rlong(number)] for (number,) in self._accounts.ask(asked, given["ids"], given["nss"])]
        if " ".join(text.split()) != A_TABLE:
            return None
        return [[rlong(file)] for (file,) in self._accounts.ask(_TABLE_OF, given["id"], given["ns"])]


def dataset(number: int, name: str) -> Any:
    """Make an OMERO dataset."""
    return named(omero.model.DatasetI(number, True), name)


def _link_to_table(number: int, ns: str, file: int) -> Any:
    link = owned(omero.model.DatasetAnnotationLinkI(number, True))
    link.child = owned(omero.model.FileAnnotationI(number, True))
    link.child.ns, link.child.file = rstring(ns), original_file(file, "", "bulk_annotations")
    return link


def named(item: Any, name: str) -> Any:
    """Set the name of an object, and return it."""
    item.name = rstring(name)
    return item


def owned(item: Any) -> Any:
    """Set the details that clients read, and return the object."""
    item.details.owner, item.details.group = objects.experimenter(VISITOR), objects.group()
    item.details.permissions = omero.model.PermissionsI("rwra--")
    item.details.permissions._restrictions = []
    item.details.creationEvent = event = omero.model.EventI(1, True)
    event.time = rtime(0)
    if hasattr(item, "unloadAnnotationLinks"):
        item.unloadAnnotationLinks()
    return item


def deleted(request: Any, accounts: Accounts) -> bool:
    """Delete annotations, or links to them; return whether the request asks for that."""
    ((kind, numbers),) = request.targetObjects.items()
    if kind not in _DELETE or request.dryRun:
        return False
    unlinked = [number for (number,) in accounts.ask(_DELETE[kind], numbers)]
    # A request can ask to keep annotations, even if nothing links to them any more.
    if "Annotation" not in (request.typesToIgnore or ()):
        accounts.ask(_ORPHANS, unlinked)
    return True


class Annotations:
    """The annotations of datasets and images."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def link(self, links: list[Any]) -> None:
        """Store links and their annotations, a shared annotation once. Raises omero.SecurityViolation."""
        inserted: dict[int, int] = {}
        for link in links:
            statement = next((sql for kind, sql in _LINKS.items() if isinstance(link, kind)), None)
            if statement is None:
                raise omero.SecurityViolation(None, None, f"not linked here: {type(link).__name__}")
            if id(link.child) not in inserted:
                inserted[id(link.child)] = self._insert(link.child)
            self._accounts.ask(statement, link.parent.id.val, inserted[id(link.child)])

    def _insert(self, annotation: Any) -> int:
        file = annotation.file.id.val if isinstance(annotation, omero.model.FileAnnotation) else None
        ((number,),) = self._accounts.ask(_ANNOTATION, annotation.ns.val, file)
        if isinstance(annotation, omero.model.MapAnnotation):
            for one in annotation.getMapValue():
                self._accounts.ask(_VALUE, number, one.name, one.value)
        return int(number)
