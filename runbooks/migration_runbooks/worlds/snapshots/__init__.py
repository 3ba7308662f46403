"""A database's whole content in a form that can be compared, read from the database itself and not through Django."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migration_runbooks.worlds.snapshots import mariadb, postgresql, sqlite
from migration_runbooks.worlds.snapshots.snapshot import Snapshot, Table, sorted_rows

READERS = {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}

UNSTABLE = {"django_migrations": {"id", "applied"}}
"""Columns that differ between two databases with the same history."""

__all__ = ["Snapshot", "take_snapshot"]


def take_snapshot(database: str, connection: Any, ignore: Iterable[str] = ()) -> Snapshot:
    """Read everything, in one transaction, but for the tables to ignore."""
    reader = READERS[database]
    cursor = connection.cursor()
    cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT" if database == "mariadb" else "BEGIN")
    tables: dict[str, Table] = {name: table for name, table in reader.tables(cursor).items() if name not in ignore}
    columns = {name: stable_columns(name, table) for name, table in tables.items()}
    snapshot = Snapshot(
        schema={name: sorted(table.description) for name, table in tables.items()},
        columns=columns,
        rows={name: sorted_rows(read_rows(cursor, reader.quote, name, columns[name])) for name in tables},
        sequences=reader.sequences(cursor),
    )
    cursor.execute("ROLLBACK")
    return snapshot


def stable_columns(name: str, table: Table) -> tuple[str, ...]:
    return tuple(sorted(set(table.columns) - UNSTABLE.get(name, set())))


def read_rows(cursor: Any, quote: Any, table: str, columns: tuple[str, ...]) -> list[tuple]:
    if not columns:
        return []
    cursor.execute(f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}")
    return cursor.fetchall()
