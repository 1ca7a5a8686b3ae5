"""What is renewed: every lock file, and the digest of every image of CI."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import ci_images, lock_files
from harness.stacks import ROOT
from tests import stubs

DIGEST = f"sha256:{'a' * 64}"


def test_every_lock_file_is_renewed() -> None:
    listed = subprocess.check_output(["git", "ls-files", "*.lock"], cwd=ROOT, text=True).split()
    assert sorted(lock_files.LOCKS) == sorted(listed)


def test_a_lock_file_is_renewed_after_those_whose_versions_it_holds_to() -> None:
    order = list(lock_files.LOCKS)
    for name, given in lock_files.LOCKS.items():
        folder = (ROOT / name).parent
        text = "\n".join((folder / word).read_text() for word in given if word.endswith(".in"))
        for held in re.findall(r"^-c (\S+\.lock)$", text, re.MULTILINE):
            other = (folder / held).resolve().relative_to(ROOT)
            assert order.index(str(other)) < order.index(name)


def test_lock_files_are_renewed_in_their_folders_with_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], Path]] = []
    monkeypatch.setattr("subprocess.run", lambda command, *, cwd, **_: calls.append((command, cwd)))
    lock_files.renew(["--upgrade"])
    for (command, folder), name in zip(calls, lock_files.LOCKS, strict=True):
        assert folder / command[-1] == ROOT / name
        assert {"--generate-hashes", "--no-emit-index-url", "--upgrade"} <= set(command)
        assert all((folder / word).exists() for word in command if word.endswith((".in", ".toml", ".txt")))


def images(part: Any) -> list[str]:
    """Return every image that a workflow names."""
    if isinstance(part, list):
        return [name for one in part for name in images(one)]
    if not isinstance(part, dict):
        return []
    own = [part[key] for key in ("container", "image") if isinstance(part.get(key), str)]
    return own + [name for one in part.values() for name in images(one)]


@pytest.mark.parametrize("file", ci_images.files(), ids=lambda file: file.name)
def test_every_image_of_ci_gets_the_digest_of_its_tag(file: Path) -> None:
    named = images(yaml.safe_load(file.read_text()))
    once = ci_images.pinned(file.read_text(), lambda _: DIGEST)
    assert images(yaml.safe_load(once)) == [f"{name.partition('@')[0]}@{DIGEST}" for name in named]
    # Renewed again by its tag, not by its digest.
    again = images(yaml.safe_load(ci_images.pinned(once, lambda name: f"of-{name}")))
    assert again == [f"{name}@of-{name}" for name in (name.partition("@")[0] for name in named)]


def test_ci_has_images() -> None:
    assert any(images(yaml.safe_load(file.read_text())) for file in ci_images.files())


def test_of_an_image_without_a_digest_make_check_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ci_images, "ROOT", tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / ".gitlab-ci.yml").write_text(f"a:\n  image: golang:1.25@{DIGEST}\nb:\n  image: debian:12\n")
    ci_images.main(["--check"])
    assert capsys.readouterr().out.splitlines() == [
        "warning: .gitlab-ci.yml: debian:12 has no digest, so it may change: run make renew"
    ]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ci_images.main(["--check"])
    assert capsys.readouterr().out.startswith("::warning file=.gitlab-ci.yml::debian:12")
    dry = subprocess.run(["make", "-n", "check"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "dev.ci_images --check" in dry.stdout


def test_what_is_no_digest_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skopeo = stubs.put(tmp_path, monkeypatch, "skopeo")
    skopeo.answers((0, f"{DIGEST}\n", ""), (0, "sha256:short\n", ""))
    assert ci_images.ask("debian:12") == DIGEST
    assert skopeo.calls[0].arguments[-1] == "docker://debian:12"
    with pytest.raises(ValueError, match="no digest for debian:12: sha256:short"):
        ci_images.ask("debian:12")


PATCH = """diff --git a/{0} b/{0}
--- a/{0}
+++ b/{0}
@@ -1 +1 @@
-old
+new
"""


def test_of_a_proposal_only_lock_files_are_taken(tmp_path: Path) -> None:
    """The job that wrote the patch ran code of package indexes; a changed workflow would run on its branch at once."""
    names = ("cloudinit/web/requirements.lock", ".github/workflows/check.yml", ".gitlab-ci.yml", "model/plan.py")
    text = "".join(PATCH.format(name) for name in names)
    for script in ((ROOT / ".github/workflows/renew.yml").read_text(), (ROOT / ".gitlab-ci.yml").read_text()):
        (command,) = re.findall(r'git apply .* "\$patch"', script)
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("old\n")
        shell = ["bash", "-ec", command.replace('"$patch"', "-")]
        subprocess.run(shell, cwd=tmp_path, input=text, text=True, check=True)
        assert [(tmp_path / name).read_text() for name in names] == ["new\n", "old\n", "old\n", "old\n"]
        proposed = script[script.index(command) :]
        assert proposed.index("python3 -m dev.ci_images") < proposed.index("commit --all")
