"""What is built once stays built, and an incomplete build never counts as a complete one."""

from pathlib import Path

import pytest

from dev.image.cache import BuildError, build_once, key_of


def test_builds_once(tmp_path: Path) -> None:
    builds: list[Path] = []

    def build(folder: Path) -> None:
        builds.append(folder)
        (folder / "thing").touch()

    target = tmp_path / "kind" / "key"
    assert build_once(target, build) == build_once(target, build) == target
    assert (target / "thing").is_file()
    assert len(builds) == 1


def test_failed_build_leaves_nothing_that_counts(tmp_path: Path) -> None:
    target = tmp_path / "key"

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise BuildError("interrupted")

    with pytest.raises(BuildError, match="interrupted"):
        build_once(target, fail)
    assert not target.exists()
    build_once(target, lambda folder: (folder / "whole").touch())
    assert [p.name for p in target.iterdir()] == ["whole"]


def test_key_depends_on_content_name_and_mode(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    keys = {key_of([file]), key_of([file], "word")}
    file.chmod(0o755)
    keys.add(key_of([file]))
    file.write_text("two")
    keys.add(key_of([file]))
    keys.add(key_of([file.rename(tmp_path / "b")]))
    assert len(keys) == 5
