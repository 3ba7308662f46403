"""Indexes and constraints that are missing, and such that nothing made."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.schema import Key, Table


def check(examined: Examined) -> Iterator[Finding]:
    expected, live = examined.expected.schema, examined.live
    if not examined.expected.whole:
        yield from missing_by_columns(examined)
        return
    for _, table, kind, definition in sorted(fact for fact in examined.missing if fact[0] == "key" and fact[1] in live):
        key = expected[table].key(kind, definition)
        if not hangs_on(key, expected[table].columns.keys() - live[table].columns.keys()):
            yield missing(examined, expected[table], key)
    for _, table, kind, definition in sorted(fact for fact in examined.extra if fact[0] == "key" and fact[1] in expected):
        key = live[table].key(kind, definition)
        # An invalid one is another check's.
        if key.valid and not hangs_on(key, live[table].columns.keys() - expected[table].columns.keys()):
            yield extra(examined, live[table], key)


def hangs_on(key: Key, columns: set[str]) -> bool:
    """Whether the key differs only because these columns do, which is a finding of their own."""
    named = set(re.findall(r"\w+", key.definition)) if key.kind == "check" else set(key.columns)
    return bool(named & columns)


def missing_by_columns(examined: Examined) -> Iterator[Finding]:
    """Models say on which columns a unique or a foreign key must be, not how the database writes it."""
    for name in sorted(examined.expected.schema.keys() & examined.live.keys()):
        there = {(key.kind, frozenset(key.columns), key.target) for key in examined.live[name].keys}
        gone = examined.expected.schema[name].columns.keys() - examined.live[name].columns.keys()
        for key in examined.expected.schema[name].keys:
            if not hangs_on(key, gone) and (key.kind, frozenset(key.columns), key.target) not in there:
                yield missing(examined, examined.expected.schema[name], key)


def missing(examined: Examined, table: Table, key: Key) -> Finding:
    consequence = {
        "index": "Queries that it served read the whole table.",
        "unique": "The database accepts duplicates.",
        "check": "The database accepts rows that it forbids.",
        "foreign key": "The database accepts rows that point to nothing.",
        "primary key": "Rows have no identity.",
        "exclude": "The database accepts rows that exclude each other.",
    }[key.kind]
    return Finding(
        id=f"missing-{key.kind.replace(' ', '-')}",
        level="error",
        app=examined.owner(table.name),
        object=f"{table.name}.{label(key)}",
        message=f"Table {table.name} lacks the {shown(key)}. {consequence}",
        hint=f"python manage.py sqlmigrate {examined.owner(table.name)} MIGRATION shows the statement that makes it"
        + ("." if key.kind == "index" else "; look for rows that break it first."),
    )


def extra(examined: Examined, table: Table, key: Key) -> Finding:
    return Finding(
        id=f"extra-{key.kind.replace(' ', '-')}",
        level="warning",
        app=examined.owner(table.name),
        object=f"{table.name}.{label(key)}",
        message=f"Table {table.name} has the {shown(key)}, and no recorded migration makes it.",
        hint="If it is wanted, add it to the model's Meta and write the migration; if not, drop it.",
    )


def label(key: Key) -> str:
    return key.name or "_".join(key.columns) or key.definition


def shown(key: Key) -> str:
    name = f" {key.name}" if key.name else ""
    if not key.definition:
        target = f" to {key.target[0]} ({', '.join(key.target[1])})" if key.target else ""
        return f"{key.kind}{name} on {', '.join(key.columns)}{target}"
    return f"{key.kind}{name}: {key.definition}"
