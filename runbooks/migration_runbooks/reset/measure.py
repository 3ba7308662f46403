"""Replay migrations in the scratch database, and note what each operation that only a person can write does there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.migrations.operations import RunPython, RunSQL
from django.db.migrations.recorder import MigrationRecorder

from migration_runbooks.integrity.schema import read_schema
from migration_runbooks.integrity.schema.model import Schema
from migration_runbooks.integrity.sources.expected import Expected
from migration_runbooks.integrity.sources.files import Files, Name
from migration_runbooks.integrity.sources.replay import Replay, quiet
from migration_runbooks.integrity.sources.scratch import scratch_database
from migration_runbooks.reset.objects import Object, read_objects

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations.operations.base import Operation

WRITTEN_BY_MAKEMIGRATIONS = ("django.db.migrations.operations.models", "django.db.migrations.operations.fields")
HISTORY = MigrationRecorder.Migration._meta.db_table


@dataclass(frozen=True)
class Content:
    """What a database holds."""

    schema: Schema
    objects: frozenset[Object]
    rows: dict[str, tuple[int, str]]
    """Of each table that has rows: their number, and a hash of them."""

    @property
    def facts(self) -> frozenset[tuple]:
        return self.schema.facts() | self.objects


@dataclass
class Effect:
    """What the operations of one migration, but those that makemigrations writes, did to an empty database."""

    operations: list[str] = field(default_factory=list)
    made: set[tuple] = field(default_factory=set)
    """Facts of the schema, and objects."""
    tables: set[str] = field(default_factory=set)
    """Whose rows they changed."""


@dataclass(frozen=True)
class Measured:
    expected: Expected
    content: Content
    effects: dict[Name, Effect]
    """By migration; only of those that hold such operations."""


def is_custom(operation: Operation) -> bool:
    """Whether makemigrations can't write the operation from the models."""
    return type(operation).__module__ not in WRITTEN_BY_MAKEMIGRATIONS


def measure(alias: str, files: Files, apps: set[str]) -> Measured:
    """Replay all files on a new, empty database, and watch those of `apps`. Raises Unreadable when they can't be applied."""
    effects: dict[Name, Effect] = {}
    with scratch_database(alias), quiet():
        replay = Replay(alias, files, set(files.order))
        with watched(replay, apps, effects):
            expected = replay.run()
        return Measured(expected, content_of(replay.connection), effects)


@contextmanager
def watched(replay: Replay, apps: set[str], effects: dict[Name, Effect]) -> Iterator[None]:
    """Note what each custom operation does: it is told by what the database holds before and after."""
    watching = []
    for name in replay.order:
        for operation in replay.loader.graph.nodes[name].operations if name[0] in apps else []:
            if is_custom(operation):
                effect = effects.setdefault(name, Effect())
                effect.operations.append(described(operation))
                watch(operation, replay.connection, effect)
                watching.append(operation)
    try:
        yield
    finally:
        for operation in watching:
            del operation.database_forwards


def described(operation: Operation) -> str:
    if isinstance(operation, RunPython):
        return f"RunPython {getattr(operation.code, '__name__', operation.code)}"
    if isinstance(operation, RunSQL):
        return f"RunSQL {shortened(str(operation.sql))}"
    return operation.describe()


def shortened(text: str, length: int = 70) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[:length]}…"


def watch(operation: Operation, connection: BaseDatabaseWrapper, effect: Effect) -> None:
    run = operation.database_forwards

    def database_forwards(*arguments, **options):
        before = content_of(connection)
        run(*arguments, **options)
        after = content_of(connection)
        effect.made |= after.facts - before.facts
        effect.tables |= {name for name, _ in before.rows.items() ^ after.rows.items()}

    operation.database_forwards = database_forwards


def content_of(connection: BaseDatabaseWrapper) -> Content:
    schema = read_schema(connection)
    rows = {table: found for table in schema if table != HISTORY and (found := rows_of(connection, table))[0]}
    return Content(schema, read_objects(connection), rows)


def rows_of(connection: BaseDatabaseWrapper, table: str) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
        found = sorted(map(repr, cursor.fetchall()))
    return len(found), hashlib.sha256("\n".join(found).encode(errors="replace")).hexdigest()
