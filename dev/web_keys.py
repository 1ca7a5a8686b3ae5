"""List the keys of OMERO.web's configuration, from its own package.

pip install --no-deps --target FOLDER omero-web==...
python -m dev.web_keys FOLDER > tests/unit/model/web_keys.txt
"""

import importlib.metadata
import re
import sys
from pathlib import Path

KEY = re.compile(r'^    "((?:omero|django)[\w.]+)": \[', re.MULTILINE)
"""An entry of the mappings in omeroweb/settings.py, from a key to the name of Django's setting."""


def main(folder: Path) -> None:
    """Print the version, then a key on each line."""
    (package,) = importlib.metadata.distributions(name="omero-web", path=[str(folder)])
    print(f"# omero-web=={package.version}")
    for key in sorted(set(KEY.findall((folder / "omeroweb" / "settings.py").read_text()))):
        print(key)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
