"""Columns that are missing, and columns that nothing made."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.schema import Column


def check(examined: Examined) -> Iterator[Finding]:
    expected, live = examined.expected.schema, examined.live
    for _, table, name in sorted(fact for fact in examined.missing if fact[0] == "column" and fact[1] in live):
        column = expected[table].columns[name]
        yield Finding(
            id="missing-column",
            level="error",
            app=examined.owner(table),
            object=f"{table}.{name}",
            message=f"Column {table}.{name} is missing; the recorded migrations make it{described(column)}.",
            hint="Stop writing migrations for this table: SQLite rebuilds it with wrong values. Find what dropped the "
            f"column, or see which migration was faked: python manage.py showmigrations {examined.owner(table)}",
            runbook="undo-wrong-fake",
        )
    for _, table, name in sorted(fact for fact in examined.extra if fact[0] == "column" and fact[1] in expected):
        yield extra(examined, table, live[table].columns[name])


def extra(examined: Examined, table: str, column: Column) -> Finding:
    refuses = not column.nullable and column.default is None and not column.automatic and not column.generated
    return Finding(
        id="extra-column",
        level="error" if refuses else "warning",
        app=examined.owner(table),
        object=f"{table}.{column.name}",
        message=f"Column {table}.{column.name} ({column.type}) is in the database, and no recorded migration makes it."
        + (" It is NOT NULL without a default, so Django's inserts fail." if refuses else ""),
        hint="If the field belongs to a model, write its migration; if not, keep its values before you drop it.",
    )


def described(column: Column) -> str:
    return f" {column.type} {'NULL' if column.nullable else 'NOT NULL'}" if column.type else ""
