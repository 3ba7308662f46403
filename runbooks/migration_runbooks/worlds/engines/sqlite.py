"""SQLite: the database is a file in the project."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from migration_runbooks.worlds.engines.place import Address, Place

FILE = "db.sqlite3"


def missing() -> str | None:
    return None


def path(place: Place) -> Path:
    return place.project / FILE


def create(place: Place) -> None:
    path(place).touch()


def freeze(place: Place) -> None:
    """Move what a write-ahead log still holds into the file, so that the file alone is the database."""
    with closing(connect(place)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def clone(source: Place, target: Place) -> None:
    shutil.copy2(path(source), path(target))


def drop(place: Place) -> None:
    for file in place.project.glob(f"{FILE}*"):
        file.unlink()


def connect(place: Place) -> sqlite3.Connection:
    """Return a connection in autocommit mode, which waits up to 5 seconds for a lock."""
    return sqlite3.connect(path(place), isolation_level=None)


def address(place: Place) -> Address:
    return Address("sqlite3", str(path(place)))


def variables(place: Place) -> dict[str, str]:
    return {}


def tools() -> list[Path]:
    return []
