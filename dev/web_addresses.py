"""List every URL pattern of OMERO.web and its applications, from their packages.

    pip install --no-deps --target FOLDER omero-web==... omero-iviewer omero-figure omero-mapr idr-gallery
    python -m dev.web_addresses FOLDER > tests/unit/frontend/addresses.txt

The packages' urls.py are run unchanged. All other modules that they import are replaced by stand-ins, so that OMERO.py
and Ice are not needed.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from django.conf import settings
from django.urls import URLPattern, URLResolver

PACKAGES = ("omero-web", "omero-iviewer", "omero-figure", "omero-mapr", "idr-gallery")

APPLICATIONS = {
    "webclient/": "omeroweb.webclient.urls",
    "webgateway/": "omeroweb.webgateway.urls",
    "webadmin/": "omeroweb.webadmin.urls",
    "feedback/": "omeroweb.feedback.urls",
    "url/": "omeroweb.webredirect.urls",
    "api/": "omeroweb.api.urls",
    "iviewer/": "omero_iviewer.urls",
    "figure/": "omero_figure.urls",
    "mapr/": "omero_mapr.urls",
    # The gallery is the IDR's root application (omero.web.root_application).
    "": "idr_gallery.urls",
}
"""The prefixes under which OMERO.web's own urls.py includes other modules."""

OF_OMERO_WEB = ("^$", r"^favicon\.ico$", "^index/$")
"""The patterns that OMERO.web's own urls.py defines itself."""

OURS = frozenset({"omeroweb", "omero", "omero_iviewer", "omero_figure", "omero_mapr", "idr_gallery"})
REAL = re.compile(r"django\b|omeroweb$|omero_\w+$|idr_gallery$|.*\.urls$|.*api_settings$")


class _StandIn(ModuleType):
    """A stand-in for a module, which has every attribute."""

    def __getattr__(self, name: str) -> Any:
        if name == "mapr_settings":
            # The IDR's categories are settings. Each is a word.
            return MagicMock(CONFIG={r"(?!favicon)\w+": {}})
        if name == "SUPER_CATEGORIES":
            return ("cell", "tissue")
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Provides a stand-in for each module of the packages that defines no addresses."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> Any:  # noqa: ARG002  # importlib's
        """Return the stand-in's specification, or None for a module that is imported unchanged."""
        ours = name.partition(".")[0] in OURS
        package = name.startswith("omeroweb.") and name.count(".") == 1
        if not ours or REAL.match(name) or (package and path is not None and _is_folder(name, path)):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the stand-in."""
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a stand-in has no code."""


def _is_folder(name: str, path: Sequence[str]) -> bool:
    return any((Path(folder) / name.rpartition(".")[2]).is_dir() for folder in path)


def walk(patterns: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Yield each pattern with its prefix, as `prefix pattern`."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, prefix + str(pattern.pattern).lstrip("^"))
        else:
            yield f"{prefix} {pattern.pattern}"


def listed(folder: Path) -> Iterator[str]:
    """Yield the versions of the packages in a folder, then their addresses."""
    for name in PACKAGES:
        (package,) = importlib.metadata.distributions(name=name, path=[str(folder)])
        yield f"# {name}=={package.version}"
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, _Finder())
    settings.configure(VIEWER_VIEW="omeroweb.webclient.views.image_viewer")
    yield from sorted({f" {pattern}" for pattern in OF_OMERO_WEB})
    for prefix, module in APPLICATIONS.items():
        yield from dict.fromkeys(walk(importlib.import_module(module).urlpatterns, prefix))


if __name__ == "__main__":
    print("\n".join(dict.fromkeys(listed(Path(sys.argv[1])))))
