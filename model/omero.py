"""The settings of OMERO.server: its distribution, the parts of the distribution, and additions."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, InstanceOf, WithJsonSchema

from model.addons import Addons
from model.downloads import Download, Jar
from model.field_types import EachOnce, Several
from model.omero_config import Key, ServerConfig, table
from model.role_description import Distribution


class Omero(ServerConfig):
    """OMERO.server: its distribution, the downloads of the official one, and its configuration."""

    distribution: Distribution = Field(Distribution.OFFICIAL, description="`demo` is for the stack `local` only")
    server: Download | None = Field(None, description="OMERO.server's archive")
    ice: Download | None = Field(None, description="Ice for the node's Ubuntu")
    ice_python: Download | None = Field(None, description="The wheel of Ice for Python")
    jars: tuple[Jar, ...] = Field((), description="Jars beside those of OMERO.server's archive")
    addons: Annotated[InstanceOf[Addons] | None, WithJsonSchema({"type": "string"})] = Field(
        None,
        description="A lock file beside the stack file, as in site/omero.lock, with packages of Python for the "
        "server's command line; `idr pin` writes it from site/omero.in",
    )
    other_keys: Annotated[tuple[Key, ...], EachOnce] = Field(
        (), description="Keys for `config` that OMERO.server itself does not have: of jars, scripts, a newer server"
    )
    pool_size: Several = Field(25, description="omero.db.poolsize of each OMERO.server, as in IDR")

    def problems(self) -> Iterator[str]:
        """Yield parts of the official distribution without a URL, and wrong keys of its configuration."""
        yield from super().problems()
        for name, part in self.parts().items():
            if part is None and self.distribution == Distribution.OFFICIAL:
                yield f"the official distribution needs {name}, with the url where it is fetched"
        if self.distribution == Distribution.DEMO:
            unsupported = {"jars": self.jars, "addons": self.addons, "otherKeys": self.other_keys}
            yield from (f"{name}: the demo's image server has none" for name, value in unsupported.items() if value)
        keys = table()["omero"]
        for key in self.other_keys:
            if owned := keys.owner(key):
                yield f"otherKeys: '{key}' {owned}"
            elif keys.unknown(key) is None:
                yield f"otherKeys: '{key}' is OMERO.server's own: remove it here, config takes it as it is"
        paths = [path for jar in self.jars for path in jar.paths]
        for path in sorted({path for path in paths if paths.count(path) > 1}):
            yield f"jars: two of them are {path}"

    def missing(self) -> list[str]:
        """Return parts of the official distribution whose SHA-256 is not set yet."""
        return [f"omero.{name}.sha256" for name, part in self.parts().items() if part and part.sha256 is None]

    def parts(self) -> dict[str, Download | None]:
        """Return the parts of the official distribution, by their settings below `omero`."""
        jars = {f"jars.{number}": jar for number, jar in enumerate(self.jars)}
        return {"server": self.server, "ice": self.ice, "icePython": self.ice_python, **jars}
