"""A git repository of a test's own."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")


@dataclass(frozen=True)
class Repository:
    """A repository in `folder` with its first commit."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git; return its output."""
        command = ["git", *WHO, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, files: Mapping[str, str]) -> str:
        """Commit everything in the folder after writing `files`; return the commit."""
        if not (self.folder / ".git").is_dir():
            self.git("init", "--quiet", "--initial-branch", "main")
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a commit")
        return self.git("rev-parse", "HEAD")
