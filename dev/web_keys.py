"""List the configuration keys of OMERO.web and its applications, from their packages.

pip install --no-deps --target FOLDER omero-web==... omero-iviewer==... omero-figure==... (and so on: SETTINGS)
python -m dev.web_keys FOLDER > tests/unit/model/web_keys.txt
"""

import importlib.metadata
import re
import sys
from pathlib import Path

SETTINGS = {
    "omero-web": "omeroweb/settings.py",
    "omero-iviewer": "omero_iviewer/iviewer_settings.py",
    "omero-figure": "omero_figure/settings.py",
    "omero-mapr": "omero_mapr/mapr_settings.py",
    "idr-gallery": "idr_gallery/gallery_settings.py",
}
"""The file of each package that defines its keys."""

KEY = re.compile(r'^    "((?:omero|django)[\w.]+)":\s+\[', re.MULTILINE)
"""An entry of the mappings in that file, from a key to the name of Django's setting."""


def main(folder: Path) -> None:
    """Print for each package its version, then a key on each line."""
    for name, file in SETTINGS.items():
        (package,) = importlib.metadata.distributions(name=name, path=[str(folder)])
        print(f"# {name}=={package.version}")
        for key in sorted(set(KEY.findall((folder / file).read_text()))):
            print(key)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
