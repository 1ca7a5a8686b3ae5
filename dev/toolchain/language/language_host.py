"""The language host's process, and with `--program` that of one program; `pulumi-language-python` starts it."""

import sys

from languagehost import start_program


def main() -> None:
    """Serve the engine, or run one program."""
    if sys.argv[1:] == ["--program"]:
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
