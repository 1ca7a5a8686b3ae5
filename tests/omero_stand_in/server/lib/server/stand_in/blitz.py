"""Replaces Blitz. It starts where OMERO's would. Otherwise it ends at once, and only its own log has the cause."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import psycopg2

from stand_in.configuration import HOME, STATE, connect, settings

DATA = Path("/data/OMERO")
LOG = HOME / "var/log/Blitz-0.log"
UPGRADES = "http://upgrade.openmicroscopy.org.uk"
"""The default of omero.upgrades.url."""


def write_log(level: str, text: str) -> None:
    """Write a line to the log, as logback does."""
    with LOG.open("a") as file:
        file.write(f"{time.strftime('%F %T')},000 {level:5} [{'ome.services.blitz.Entry':>40}] (      main) {text}\n")


def fail(what: str, *causes: str) -> NoReturn:
    """Log the stack trace of a bean that Spring cannot create, and end; the last cause is the root."""
    write_log("ERROR", "Error on startup")
    with LOG.open("a") as file:
        file.write(f"org.springframework.beans.factory.BeanCreationException: {what}\n\tat ome.system.OmeroContext\n")
        file.writelines(f"Caused by: {cause}\n\tat ome.services\n\t... 42 more\n" for cause in causes)
    sys.exit(1)


def main() -> None:
    """Start, log that, and run until a signal comes."""
    LOG.parent.mkdir(exist_ok=True)
    config = settings()
    if os.environ["JAVA_VERSION"].split(".")[0] != "11":
        refused = "java.lang.reflect.InaccessibleObjectException: Unable to make defineClass accessible"
        fail("Error creating bean 'dataSource'", f"bitronix.tm.utils.PropertyException: {refused}", refused)
    try:
        with connect(config) as connection, connection.cursor() as cursor:
            cursor.execute("select currentversion, currentpatch from dbpatch order by id desc limit 1")
            row = cursor.fetchone()
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        fail("Error creating bean 'sessionFactory'", f"org.postgresql.util.PSQLException: {reason}")
    if row != ("OMERO5.4", 0):
        fail("Error creating bean 'dbPatchCheck'", f"ome.conditions.InternalException: the database has {row}")
    if config.get("omero.cluster.read_only.repo") == "true":
        if not os.access(DATA / "FullText", os.R_OK):
            why = f"required directory {DATA}/FullText cannot be read but repository is read-only"
            fail("Error creating bean 'serverDirectoryCheck'", f"org.springframework.beans.FatalBeanException: {why}")
    else:
        (DATA / "FullText").mkdir(exist_ok=True)
    if url := config.get("omero.upgrades.url", UPGRADES):
        write_log("ERROR", f"Error reading from url: {url} Unknown host")
    write_log("INFO", "OMERO.blitz now accepting connections.")
    STATE.with_suffix(".ready").touch()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
