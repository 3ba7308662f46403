"""Split the search of a SQLite table into statements that are short.

Unless the database is in WAL mode, a statement that reads keeps every writer from committing until it ends.
https://www.sqlite.org/lockingv3.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.schema import Key

ROWS_AT_ONCE = 100_000
ENTRIES_AT_ONCE = 1_000_000
"""An index is read ten times as fast as the rows, and more."""


@dataclass(frozen=True)
class Piece:
    """A condition on some of the rows of a table that is called `c`, and its values."""

    condition: str = ""
    values: tuple = ()

    def narrowed(self, condition: str, *values: object) -> Piece:
        return Piece(f"{self.condition}{condition} AND ", (*self.values, *values))


def pieces(examined: Examined, table: str, column: str) -> Iterator[Piece]:
    """Yield conditions that together hold of every row in which the column is not NULL, each of few enough rows.

    Where the column has an index, rows are taken in its order: neighbours point to neighbours, and the rows themselves
    are not read. In WAL mode no writer waits for a reader, and one piece is all.
    """
    if examined.connection.vendor != "sqlite" or examined.query("PRAGMA journal_mode") == [("wal",)]:
        yield Piece()
    elif any(serves(key, column) for key in examined.live[table].keys):
        yield from ranges(examined, table, column, ENTRIES_AT_ONCE)
    else:
        yield from ranges(examined, table, "rowid", ROWS_AT_ONCE)


def serves(key: Key, column: str) -> bool:
    """Whether the index holds the column of every row, in the column's own order: no condition, expression or collation."""
    return key.columns[:1] == (column,) and key.kind != "foreign key" and key.definition.strip("()") == ", ".join(key.columns)


def ranges(examined: Examined, table: str, column: str, most: int, within: Piece = Piece()) -> Iterator[Piece]:
    """Split a piece by the values of a column into such of at most so many rows; one value with more is split by row id."""
    quote = examined.connection.ops.quote_name
    name = f"c.{quote(column)}"
    rows = f"SELECT {name} FROM {quote(table)} c WHERE {within.condition}{name}"

    def first(condition: str, values: tuple = (), skip: int = 0) -> object:
        found = examined.query(f"{rows} {condition} ORDER BY {name} LIMIT 1 OFFSET {skip}", (*within.values, *values))
        return found[0][0] if found else None

    low = first("IS NOT NULL")
    while low is not None:
        high = first(">= %s", (low,), most)
        if high == low:
            yield from ranges(examined, table, "rowid", most, within.narrowed(f"{name} = %s", low))
            high = first("> %s", (low,))
        elif high is None:
            yield within.narrowed(f"{name} >= %s", low)
        else:
            yield within.narrowed(f"{name} >= %s AND {name} < %s", low, high)
        low = high
