"""The commands of the demo image server: `serve` runs it, `check` logs in and counts the images."""

import argparse
import logging
import signal
import sys
import threading

from .settings import Settings, SettingsError, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="demo-image-server",
        description="Stands in for OMERO.server on the `local` stack. Settings: DEMO_* in the environment.",
    )
    parser.add_argument("command", choices=["serve", "check"], help="run the server, or test a running one")
    command = parser.parse_args(arguments).command
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = read_settings()
    except SettingsError as error:
        print(f"demo-image-server: {error}", file=sys.stderr)
        return 1
    return serve(settings) if command == "serve" else check(settings)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT."""
    import Ice  # here, because OMERO's classes take a second to load: `--help` and wrong settings answer at once

    from .catalogue import Catalogue
    from .server import start

    try:
        communicator = start(settings, Catalogue(settings.database))
    except Ice.Exception as error:
        ports = f"{settings.port} and {settings.websocket_port}"
        print(f"demo-image-server: cannot listen on {settings.address}, ports {ports}: {error}", file=sys.stderr)
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    # Not waitForShutdown: it blocks Python's signal handlers.
    stopped.wait()
    communicator.destroy()
    return 0


def check(settings: Settings) -> int:
    """Log in as the public user and count the images."""
    from .check import CheckError, count_images

    try:
        images = count_images(settings)
    except CheckError as error:
        print(f"demo-image-server: {error}", file=sys.stderr)
        return 1
    print(f"ok: {images} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
