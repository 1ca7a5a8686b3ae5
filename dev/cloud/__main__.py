"""`python -m dev.cloud`."""

from dev.cloud.cli import app

app(prog_name="python -m dev.cloud")
