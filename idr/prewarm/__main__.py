"""`python3 -m prewarm`, as the management node runs it."""

import typer

from .command import prewarm

if __name__ == "__main__":
    typer.run(prewarm)
