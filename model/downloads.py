"""Files that nodes fetch by URL and SHA-256."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from model.field_types import FileUrl, Section, Sha256, Shape

JarName = Annotated[str, Shape("[A-Za-z0-9][A-Za-z0-9._+-]{0,120}\\.jar", "the name of a jar, as in OMEZarrReader.jar")]


class Download(Section):
    """A file at a URL with its SHA-256, which nodes verify."""

    url: FileUrl = Field(description="Where it is fetched")
    sha256: Sha256 | None = Field(None, description="Its sum, in hexadecimal; `idr pin` records it")

    @property
    def file_name(self) -> str:
        """The file's name on a node: the last part of the URL."""
        return self.url.rpartition("/")[2]


class Jar(Download):
    """A jar for OMERO.server, such as a reader of Bio-Formats or the pixel buffer for Zarr."""

    name: JarName | None = Field(
        None,
        description="Its name in OMERO.server's lib, in place of a jar of that name; the URL's last part if absent",
    )
    client: bool = Field(False, description="Also for `omero import`, as readers need it: in lib/client, too")

    def problems(self) -> Iterator[str]:
        """Yield that the file is no jar, or has no name."""
        if self.name is None and not self.file_name.endswith(".jar"):
            yield "url: must end in .jar; or give the jar's name"

    @property
    def paths(self) -> tuple[str, ...]:
        """Its paths in OMERO.server's folder."""
        folders = ("lib/server", "lib/client") if self.client else ("lib/server",)
        return tuple(f"{folder}/{self.name or self.file_name}" for folder in folders)
