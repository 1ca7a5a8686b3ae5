"""What importer and server must say alike."""

from pathlib import Path

CHECKSUM = "File-Size-64"
IMPORTED = "select o from FilesetEntry fe join fe.originalFile o where fe.clientPath = :clientPath"
NAMED = "select o from Dataset as o where o.name = :name order by o.id desc"
CHANNELS = (
    "select p from Pixels p left outer join fetch p.channels as c join fetch c.logicalChannel as lc "
    "join fetch p.image as i where i.id in (:ids)"
)
"""What omero.gateway asks to name channels."""
OF_PIXELS = "select p from Pixels p join fetch p.channels as c join fetch c.logicalChannel as lc where p.id=:pid"
"""What it asks for the channels of one image."""
A_DATASET = "select obj from Dataset obj "
ITS_DATASET = "select d from Dataset d where d.id = :id"
ITS_IMAGES = (
    "select distinct i from Dataset as d join d.imageLinks as l join l.child as i where d.id = :id order by i.id desc"
)
A_GROUP = "select x.details.group.id from Dataset x where x.id = "
A_TABLE = "SELECT child.file.id FROM DatasetAnnotationLink link WHERE parent.id=:id AND child.ns=:ns ORDER by id"
"""What omero.gateway and `omero metadata` ask of a dataset."""
AN_IMAGE = "select obj from Image obj "
"""How omero.gateway's question for an image begins."""


def checksum(file: Path) -> str:
    """A file's size, in the form of OMERO's File-Size-64."""
    return f"{file.stat().st_size:016x}"
