"""Make a screenshot of a command on a terminal of 80 columns and 24 lines, for the documentation.

`python -m dev.terminal docs/terminal/status.svg bin/idr status -s local` runs the command and writes its last screen as
SVG. It needs tmux as the terminal, because the engine redraws its lines.
"""

import io
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 80, 24
SOCKET = f"idr-terminal-{COLUMNS}"
PAUSE_SECONDS = 0.2


def main(picture: Path, command: list[str]) -> None:
    """Run the command and write its last screen."""
    shown = f"$ {shlex.join(command)}"
    line = f"printf '%s\\n' {shlex.quote(shown)}; {shlex.join(command)}"
    size = ("-x", str(COLUMNS), "-y", str(LINES))
    # The pane stays open after the command has ended, so that it can be read.
    _tmux(
        *("start-server", ";", "set", "-g", "status", "off", ";", "set", "-g", "remain-on-exit", "on", ";"),
        *("new-session", "-d", *size, line),
    )
    try:
        while _tmux("display-message", "-p", "#{pane_dead}").strip() != "1":
            time.sleep(PAUSE_SECONDS)
        screen = _tmux("capture-pane", "-e", "-p")
    finally:
        _tmux("kill-server")
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(svg(screen, shown))


def svg(screen: str, title: str) -> str:
    """Convert a screen with its colours, as tmux captures it, to SVG."""
    lines = [line for line in screen.splitlines() if not line.startswith("Pane is dead")]
    console = Console(width=COLUMNS, record=True, file=io.StringIO())
    console.print(Text.from_ansi("\n".join(lines).rstrip()))
    # Without rich's fonts, which a browser would download from another site.
    return re.sub(r"@font-face {.*?}", "", console.export_svg(title=title), flags=re.DOTALL)


def _tmux(*arguments: str) -> str:
    # Without the user's configuration, and on a separate tmux server.
    command = ["tmux", "-f", "/dev/null", "-L", SOCKET, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
