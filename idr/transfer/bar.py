"""The progress of a run of rclone, on a terminal."""

from typing import Self

from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from idr import cli
from idr.transfer import rclone


class Bar:
    """The progress on standard error: a bar on a terminal, a line each minute elsewhere."""

    def __init__(self, what: str) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[so_far]}"),
            TimeRemainingColumn(),
        )
        console = cli.error_console()
        self._what, self._log = what, cli.Log(console)
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(what, total=None, so_far="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: rclone.Progress) -> None:
        """Show the progress."""
        so_far = f"{progress.files_done} files, {decimal(progress.bytes_done)}, {progress.checks} compared"
        self._bar.update(self._task, total=progress.bytes_all or None, completed=progress.bytes_done, so_far=so_far)
        self._log.show(f"{self._what}: {so_far}")
