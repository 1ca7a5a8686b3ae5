"""The language host's process, and with `--program` that of one program; `pulumi-language-python` starts it."""

import gc
import sys

from languagehost import start_program

OBJECTS = 100_000
"""How many new objects a program makes before Python looks for garbage among them."""


def main() -> None:
    """Serve the engine, or run one program."""
    if sys.argv[1:] == ["--program"]:
        # Modules and resources stay as long as the program runs. Python's usual 700 has it look through them again and
        # again for garbage.
        gc.set_threshold(OBJECTS)
        from languagehost import program

        program.main()
    else:
        # Before anything is imported here: the program's process does its own imports at the same time.
        waiting = start_program()
        from languagehost import serve

        serve.main(waiting)


if __name__ == "__main__":
    try:
        main()
    except ModuleNotFoundError as error:
        sys.exit(
            f"pulumi-language-python: {sys.executable} lacks the module {error.name}; install the requirements there"
        )
