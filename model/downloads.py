"""Files that nodes fetch by URL and SHA-256."""

from pydantic import Field

from model.field_types import FileUrl, Section, Sha256


class Download(Section):
    """A file and its SHA-256; without the sum it is not used."""

    url: FileUrl = Field(description="Where it is fetched")
    sha256: Sha256 | None = Field(None, description="Its sum, in hexadecimal; `idr pin` records it")

    @property
    def file_name(self) -> str:
        """The last part of the URL, which is the file's name on a node."""
        return self.url.rpartition("/")[2]
