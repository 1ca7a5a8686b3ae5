"""The `idr` command, also as `python -m idr`: one module per command, one line each here."""

from idr import apply, check, cli, drift, inventory, pin, plan, settings, ssh
from idr.diagram import command as diagram
from idr.init import command as init
from idr.prewarm import command as prewarm
from idr.recover import command as recover
from idr.review import command as review
from idr.status import command as status

app = cli.application()
app.command("init")(init.command)
app.command("plan")(plan.command)
app.command("diagram")(diagram.command)
app.command("check")(check.command)
app.command("inventory")(inventory.command)
app.command("settings")(settings.command)
app.command("ssh")(ssh.command)
app.command("apply")(apply.command)
app.command("status")(status.command)
app.command("drift")(drift.command)
app.command("pin")(pin.command)
app.command("recover")(recover.command)
app.command("review")(review.command)
app.command("prewarm")(prewarm.prewarm)


if __name__ == "__main__":
    app(prog_name="idr")
