"""`python -m idr`: what operators do beside `pulumi up`."""

from typing import Annotated

import typer

from idr.cloud import CloudError
from idr.recover import RecoverError
from idr.recover import recover as recover_stack

app = typer.Typer(
    help="The IDR deployment's own commands.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Keep `recover` a command of its own while it is the only one."""


@app.command()
def recover(stack: Annotated[str, typer.Option(help="Name of the stack, as in Pulumi.<stack>.yaml.")]) -> None:
    """After an `up` that was cut off or that the cloud failed, make the next one able to complete it.

    Unlocks the state, deletes servers that ended in ERROR, and lets the state forget what is not there.
    Data volumes are not touched. Exit status 1 when it could not.
    """
    try:
        recover_stack(stack, typer.echo)
    except (RecoverError, CloudError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
