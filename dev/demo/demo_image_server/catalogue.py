"""The catalogue in PostgreSQL (schema `demo`): one screen, one plate, and 384 wells with one image each."""

import logging
import threading
import time
from dataclasses import dataclass, replace

import psycopg2
import psycopg2.extensions

from .drawing import COLUMNS, ROWS
from .settings import Database
from .users import OWNER, User, can_read, owner_of

CACHE_SECONDS = 5.0
"""How long to keep the entries. A page needs dozens of queries, and each would read the same 384 rows."""
RETRY_SECONDS = 2.0
GENE_KEY, GENE_NAMESPACE = "Gene Symbol", "openmicroscopy.org/mapr/gene"
"""Key and namespace of the only annotation, as in the IDR."""
_FILLING_LOCK = 0x64656D6F  # "demo": of two servers that start together, only one fills the catalogue

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE SCHEMA demo;
CREATE TABLE demo.screen (id bigint PRIMARY KEY, name text NOT NULL, description text NOT NULL);
CREATE TABLE demo.plate (id bigint PRIMARY KEY, screen bigint NOT NULL REFERENCES demo.screen,
    name text NOT NULL, description text NOT NULL);
CREATE TABLE demo.well (id bigint PRIMARY KEY, plate bigint NOT NULL REFERENCES demo.plate,
    "row" integer NOT NULL, "column" integer NOT NULL, UNIQUE (plate, "row", "column"));
CREATE TABLE demo.image (id bigint PRIMARY KEY, well bigint NOT NULL UNIQUE REFERENCES demo.well,
    name text NOT NULL, acquired timestamptz NOT NULL DEFAULT now());
INSERT INTO demo.screen VALUES (1, 'Demo screen (not IDR data)',
    'Made by the demo image server of the local stack. Nothing here was ever under a microscope.');
INSERT INTO demo.plate VALUES (1, 1, 'Demo plate, 384 images made on the spot',
    'The demo dose grows from column to column, the demo stain changes from row to row.');
INSERT INTO demo.well SELECT r * %(columns)s + c + 1, 1, r, c
    FROM generate_series(0, %(rows)s - 1) r, generate_series(0, %(columns)s - 1) c;
INSERT INTO demo.image (id, well, name)
    SELECT id, id, 'Demo image ' || chr(65 + "row") || to_char("column" + 1, 'FM00') FROM demo.well;
"""

_READ = """
SELECT s.id, s.name, s.description, p.id, p.name, p.description, w.id, w."row", w."column",
    i.id, i.name, (extract(epoch FROM i.acquired) * 1000)::bigint
FROM demo.image i JOIN demo.well w ON w.id = i.well JOIN demo.plate p ON p.id = w.plate
JOIN demo.screen s ON s.id = p.screen ORDER BY i.id
"""


class CatalogueUnavailableError(Exception):
    """The database does not answer; the message is the database's."""


@dataclass(frozen=True)
class Entry:
    """One image with its well, plate and screen."""

    screen_id: int
    screen_name: str
    screen_description: str
    plate_id: int
    plate_name: str
    plate_description: str
    well_id: int
    row: int
    column: int
    image_id: int
    image_name: str
    acquired: int
    """Milliseconds since 1970."""
    owner: User = OWNER

    @property
    def gene(self) -> str:
        """Return the gene in the annotations of images and wells. One row has one stain, so one gene."""
        return f"DEMO{self.row + 1}"


class Catalogue:
    """Reads the entries from the database, and keeps them for CACHE_SECONDS."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: psycopg2.extensions.connection | None = None
        self._entries: list[Entry] = []
        self._read_at = -CACHE_SECONDS
        self._failed_at = -RETRY_SECONDS
        self._failure = ""

    def entries(self) -> list[Entry]:
        """Return all entries, by image id. Raise CatalogueUnavailableError."""
        with self._lock:
            now = time.monotonic()
            if now - self._read_at < CACHE_SECONDS:
                return self._entries
            # A failed connection takes seconds. Not every request has to wait for it.
            if now - self._failed_at < RETRY_SECONDS:
                raise CatalogueUnavailableError(self._failure)
            try:
                self._entries = self._read_or_reconnect()
            except (psycopg2.Error, OSError) as error:
                self._record_failure(error)
                raise CatalogueUnavailableError(self._failure) from error
            if self._failure:
                log.info("the database answers again")
                self._failure = ""
            self._read_at = time.monotonic()
            return self._entries

    def entry(self, image_id: int) -> Entry | None:
        """Return the entry of an image. Raise CatalogueUnavailableError."""
        return next((entry for entry in self.entries() if entry.image_id == image_id), None)

    def wait_for_database(self) -> None:
        """Wait until the database answers, and log why it does not."""
        while True:
            try:
                log.info("the catalogue holds %d images", len(self.entries()))
            except CatalogueUnavailableError:
                time.sleep(RETRY_SECONDS)
            else:
                return

    def _read_or_reconnect(self) -> list[Entry]:
        """Read, on a new connection if the old one fails: a restart of the database closes connections."""
        if self._connection is not None:
            try:
                return self._read()
            except psycopg2.Error:
                self._disconnect()
        return self._read()

    def _read(self) -> list[Entry]:
        if self._connection is None:
            self._connection = psycopg2.connect(**self._database.connection_arguments())
            _fill_if_empty(self._connection)
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(_READ)
            return [replace(entry, owner=owner_of(entry.row, ROWS)) for entry in (Entry(*row) for row in cursor)]

    def _record_failure(self, error: Exception) -> None:
        message = " ".join(str(error).split()) or type(error).__name__
        if message != self._failure:
            log.error("the database does not answer: %s", message)
        self._failure = message
        self._failed_at = time.monotonic()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class UserCatalogue(Catalogue):
    """The entries of a catalogue that one user can read."""

    def __init__(self, catalogue: Catalogue, user: User) -> None:
        self._catalogue, self._user = catalogue, user

    def entries(self) -> list[Entry]:
        return [entry for entry in self._catalogue.entries() if can_read(self._user, entry.owner)]


def _fill_if_empty(connection: psycopg2.extensions.connection) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_FILLING_LOCK,))
        # Check first, so that a read-only account of the database can serve a filled catalogue.
        cursor.execute("SELECT to_regclass('demo.image') IS NULL")
        (empty,) = cursor.fetchone() or (True,)
        if empty:
            cursor.execute(_SCHEMA, {"rows": ROWS, "columns": COLUMNS})
            log.info("the catalogue was empty; filled it")
