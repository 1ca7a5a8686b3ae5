"""Names and queries that the importer and the server share."""

from pathlib import Path

CHECKSUM = "File-Size-64"
IMPORTED = "select o from FilesetEntry fe join fe.originalFile o where fe.clientPath = :clientPath"
NAMED = "select o from Dataset as o where o.name = :name order by o.id desc"
CHANNELS = (
    "select p from Pixels p left outer join fetch p.channels as c join fetch c.logicalChannel as lc "
    "join fetch p.image as i where i.id in (:ids)"
)
"""The query by which omero.gateway names channels."""
OF_PIXELS = "select p from Pixels p join fetch p.channels as c join fetch c.logicalChannel as lc where p.id=:pid"
"""The query of omero.gateway for the channels of one image."""
A_DATASET = "select obj from Dataset obj "
ITS_DATASET = "select d from Dataset d where d.id = :id"
ITS_IMAGES = (
    "select distinct i from Dataset as d join d.imageLinks as l join l.child as i where d.id = :id order by i.id desc"
)
A_GROUP = "select x.details.group.id from Dataset x where x.id = "
A_TABLE = "SELECT child.file.id FROM DatasetAnnotationLink link WHERE parent.id=:id AND child.ns=:ns ORDER by id"
ITS_NUMBERS = "SELECT i.id FROM DatasetImageLink link join link.parent ds join link.child as i WHERE ds.id IN (:ids)"
KEYS_OF = (
    "SELECT id FROM {}AnnotationLink WHERE child.class=MapAnnotation AND parent.id in (:ids) AND child.ns in (:nss)"
)
TABLES_OF = "select l from DatasetAnnotationLink as l join fetch l.details.owner "
"""These seven are the queries of omero.gateway and `omero metadata` for a dataset."""
AN_IMAGE = "select obj from Image obj "
"""The beginning of omero.gateway's query for an image."""


def checksum(file: Path) -> str:
    """Return a file's size in the form of OMERO's File-Size-64."""
    return f"{file.stat().st_size:016x}"
