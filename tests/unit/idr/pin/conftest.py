"""A web server on loopback, and a stack file that names its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.omero_stand_in.distribution import served
from tests.unit.idr.pin.downloads import FILES, OLD


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    """Run a web server with the files."""
    folder = tmp_path / "web"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    with served(folder, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def stack(tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a stack file like an operator's."""
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(
        "# ours\nconfig:\n  idr:live: a\n  idr:omero:  # from OME\n    distribution: official\n"
        f"    server:\n      url: {base}/server.zip  # the newest\n"
        f"    ice: {{url: '{base}/ice.tar.gz'}}\n"
        f'    icePython:\n      sha256: {OLD}\n      url: "{base}/ice.whl"\n  idr:zone: b\n'
    )
    monkeypatch.setattr("idr.checkout.folder", lambda: tmp_path)
    return file
