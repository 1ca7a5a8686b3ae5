"""The `idr` command, also as `python -m idr`: one module per command, one line each here."""

from typing import Final

from idr import cli

COMMANDS: Final = {
    "init": "idr.init.command:command",
    "plan": "idr.commands.plan:command",
    "diagram": "idr.diagram.command:command",
    "check": "idr.commands.check:command",
    "inventory": "idr.commands.inventory:command",
    "settings": "idr.commands.settings:command",
    "ssh": "idr.commands.ssh:command",
    "apply": "idr.commands.apply:command",
    "status": "idr.status.command:command",
    "drift": "idr.commands.drift:command",
    "pin": "idr.commands.pin:command",
    "recover": "idr.recover.command:command",
    "review": "idr.review.command:command",
    "transfer": "idr.transfer.command:command",
    "import": "idr.imports.command:command",
    "manifest": "idr.manifest.command:command",
    "storage": "idr.storage.command:app",
    "prewarm": "idr.prewarm.command:prewarm",
}

app = cli.application(COMMANDS)

if __name__ == "__main__":
    app(prog_name="idr")
