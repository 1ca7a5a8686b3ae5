"""The stacks, compared with what a reviewer has read: tests/golden/, renewed by `make generate`."""

import pytest

from tests import golden_files


@pytest.mark.parametrize("layout", golden_files.LAYOUTS)
def test_a_layout_comes_to_what_its_golden_files_say(layout: str) -> None:
    folder = golden_files.FOLDER / layout
    files = golden_files.files(layout)
    assert sorted(file.name for file in folder.iterdir()) == sorted(files)
    for name, text in files.items():
        assert (folder / name).read_text() == text, "if this is meant: make generate"


def test_golden_files_hold_no_secret() -> None:
    texts = [file.read_text() for file in golden_files.FOLDER.rglob("*") if file.is_file()]
    assert not any("PRIVATE KEY-----" in text for text in texts)
    assert any("<password " in text for text in texts)
