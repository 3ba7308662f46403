"""What a database held at one moment, and how it differs from another moment in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

SHOWN = 5
"""How many rows of a kind a difference names before it says how many more there are."""


@dataclass
class Table:
    """The names of a table's columns, and one line for every column, index, constraint and trigger."""

    columns: list[str] = field(default_factory=list)
    description: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Snapshot:
    """A database's schema and rows. Two are equal if both are; where sequences stand is told but not compared.

    `schema` holds the sorted description lines of each table, `rows` its sorted rows as tuples whose values follow the
    names in `columns`, which are sorted too: the order of columns and rows in the database plays no part.
    """

    schema: dict[str, list[str]]
    columns: dict[str, tuple[str, ...]]
    rows: dict[str, list[tuple]]
    sequences: dict[str, int | None] = field(compare=False)

    def difference(self, other: Snapshot, ignore: Collection[str] = ()) -> list[str]:
        """Return lines for people on what `other` lacks (-) and what it has in addition (+). None if they are equal."""
        lines = []
        for table in sorted((self.schema.keys() | other.schema.keys()) - set(ignore)):
            if table not in other.schema:
                lines.append(f"- table {table} with {count(self.rows[table])}")
            elif table not in self.schema:
                lines.append(f"+ table {table} with {count(other.rows[table])}")
            else:
                lines += [f"{sign} {table}: {line}" for sign, line in changes(self.schema[table], other.schema[table])]
                lines += self.row_difference(other, table)
        return lines

    def row_difference(self, other: Snapshot, table: str) -> list[str]:
        common = tuple(name for name in self.columns[table] if name in other.columns[table])
        before, after = self.rows_of(table, common), other.rows_of(table, common)
        if before == after:
            return []
        changed = list(changes(before, after))
        lines = []
        for sign in "-+":
            rows = [row for each, row in changed if each == sign]
            if rows:
                shown = "; ".join(readable(common, row) for row in rows[:SHOWN])
                more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
                lines.append(f"{sign} {table}: {count(rows)}: {shown}{more}")
        return lines

    def rows_of(self, table: str, columns: tuple[str, ...]) -> list[tuple]:
        if columns == self.columns[table]:
            return self.rows[table]
        at = [self.columns[table].index(name) for name in columns]
        return sorted_rows(tuple(row[index] for index in at) for row in self.rows[table])


def count(rows: Collection) -> str:
    return f"{len(rows)} row{'' if len(rows) == 1 else 's'}"


def readable(columns: Iterable[str], row: tuple) -> str:
    shown = (repr(value) if isinstance(value, (str, bytes)) else str(value) for value in row)
    return "(" + ", ".join(f"{name}={value}" for name, value in zip(columns, shown, strict=True)) + ")"


def changes(before: Iterable, after: Iterable) -> list[tuple[str, object]]:
    """Return ("-", item) for each one that is only before, then ("+", item) for each only after, repeats counted."""
    old, new = Counter(before), Counter(after)
    return [("-", item) for item in (old - new).elements()] + [("+", item) for item in (new - old).elements()]


NOT_COMPARABLE = frozenset({dict, list, memoryview, bytearray})


def sorted_rows(rows: Iterable[Iterable]) -> list[tuple]:
    """Return the rows in an order that only depends on them. Few hold a value that must be made comparable first."""
    return sorted((tuple(row if NOT_COMPARABLE.isdisjoint(map(type, row)) else map(comparable, row)) for row in rows), key=repr)


def comparable(value: object) -> object:
    """Return a value that can be counted: JSON comes as lists and dictionaries, binary data as views of memory."""
    if isinstance(value, dict):
        return tuple((key, comparable(item)) for key, item in sorted(value.items()))
    if isinstance(value, list):
        return tuple(map(comparable, value))
    return bytes(value) if isinstance(value, (memoryview, bytearray)) else value
