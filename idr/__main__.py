"""The `idr` command, also as `python -m idr`: one module per command, one line each here."""

from idr import check, cli, inventory, recover, settings, ssh
from idr.prewarm import command as prewarm
from idr.review import command as review
from idr.status import command as status

app = cli.application()
app.command("check")(check.command)
app.command("inventory")(inventory.command)
app.command("settings")(settings.command)
app.command("ssh")(ssh.command)
app.command("status")(status.command)
app.command("recover")(recover.command)
app.command("review")(review.command)
app.command("prewarm")(prewarm.prewarm)


if __name__ == "__main__":
    app(prog_name="idr")
