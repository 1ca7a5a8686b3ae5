"""Looks through what a submitter sent, and makes it the curators'. Standard library only."""

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

# A submitter can make a tree deeper than Python's recursion and than any path is long, by renaming.
LONGEST = 2000


def hold(folder: Path) -> bool:
    """Hold a submission's folder until this program ends; whether nobody else does."""
    folder.mkdir(exist_ok=True)
    try:
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def used(folder: Path) -> int:
    """The bytes that a tree takes on the disk. What goes away meanwhile counts as nothing."""
    command = ["du", "--summarize", "--count-links", "--block-size=1", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return int(done.stdout.split()[0]) if done.stdout else 0


def walk(folder: Path) -> Iterator[Path]:
    """Yield all below a folder, in the order of the parts of paths, as `idr manifest` reads it."""
    waiting = sorted(folder.iterdir(), reverse=True)
    while waiting:
        path = waiting.pop()
        yield path
        if stat.S_ISDIR(path.lstat().st_mode):
            waiting += sorted(path.iterdir(), reverse=True)


def problems(folder: Path) -> Iterator[str]:
    """Yield what curators, and the programs that they use, should not meet."""
    files = 0
    for path in walk(folder):
        if len(os.fsencode(path)) > LONGEST:
            yield f"{str(path)[len(str(folder)) + 1 :][:40]!r}...: the path is longer than {LONGEST} bytes"
            return
        about = path.lstat()
        named = repr(str(path.relative_to(folder)))
        if not path.name.isprintable():
            yield f"{named}: the name has characters that are not printed"
        if stat.S_ISREG(about.st_mode):
            files += 1
            if about.st_nlink > 1:
                yield f"{named}: has another name elsewhere (a hard link)"
        elif not stat.S_ISDIR(about.st_mode):
            yield f"{named}: is no file and no folder"
    if not files:
        yield "there are no files"
    if shutil.which("clamscan"):
        # A role of the site's own may have installed it.
        scanner = ["clamscan", "-r", "-i", "--no-summary", str(folder)]
        done = subprocess.run(scanner, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            yield f"clamscan: {(done.stdout + done.stderr).strip()}"


def give(folder: Path, manifest: Path, group: int) -> None:
    """Make a tree readable for a group, and write the sums of its files, as `idr manifest` and sha256sum do."""
    with manifest.open("w") as sums:
        for path in walk(folder):
            is_folder = stat.S_ISDIR(path.lstat().st_mode)
            os.chown(path, 0, group, follow_symlinks=False)
            path.chmod(0o750 if is_folder else 0o640)
            if not is_folder:
                name = str(path.relative_to(folder))
                escaped = name.replace("\\", "\\\\")
                sums.write(("\\" if escaped != name else "") + f"{digest(path)}  {escaped}\n")
    for path, mode in ((manifest, 0o640), (folder, 0o750)):
        os.chown(path, 0, group)
        path.chmod(mode)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
