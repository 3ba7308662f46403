"""What checks look at: the four sources of one database, each read when it is first asked for, and once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

from django.db import connections

from migration_runbooks.integrity.finding import Unreadable
from migration_runbooks.integrity.schema import Schema, read_schema
from migration_runbooks.integrity.schema.model import Fact
from migration_runbooks.integrity.sources import cache
from migration_runbooks.integrity.sources.expected import Expected
from migration_runbooks.integrity.sources.files import Files, Name, read_files
from migration_runbooks.integrity.sources.half_applied import Half, find_half_applied
from migration_runbooks.integrity.sources.history import Record, read_history
from migration_runbooks.integrity.sources.models import UNSEEN, expected_of_models

READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
}


def source(name: str) -> Callable:
    """Make a method a source: read once, its seconds noted, and a failure told as Unreadable each time it is asked for."""

    def decorate(read: Callable) -> property:
        @wraps(read)
        def once(self: Examined) -> Any:
            if name not in self.outcomes:
                with self.timed(name):
                    self.outcomes[name] = outcome(name, lambda: read(self))
            if isinstance(self.outcomes[name], Unreadable):
                raise self.outcomes[name]
            return self.outcomes[name]

        return property(once)

    return decorate


def outcome(name: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Unreadable as error:
        return error
    except Exception as error:
        return Unreadable(name, error)


@dataclass
class Examined:
    """One database and the project's files. Attributes that name a source raise Unreadable when it can't be read."""

    alias: str = "default"
    quick: bool = False
    cache_folder: Path | None = None
    fingerprints: Path | None = None
    rows: bool = True
    row_limit: int | None = None
    outcomes: dict[str, Any] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)
    """Sentences for people: what this run did not look at, and why."""
    seconds: dict[str, float] = field(default_factory=dict)
    guarded: Any = None

    @property
    def connection(self) -> Any:
        """The live database, in autocommit mode and read only: the database itself would refuse a change."""
        if error := self.outcomes.get("the database"):
            raise error
        if connections[self.alias] is not self.guarded:
            try:
                self.guard()
            except Exception as error:
                self.outcomes["the database"] = Unreadable("the database", error)
                raise self.outcomes["the database"] from error
        return self.guarded

    def guard(self) -> None:
        connection = connections[self.alias]
        connection.ensure_connection()
        connection.set_autocommit(True)
        with connection.cursor() as cursor:
            cursor.execute(READ_ONLY[connection.vendor][0])
        self.guarded = connection

    def release(self) -> None:
        """Give the connection back as it was."""
        if self.guarded is not None and self.guarded.connection is not None:
            with self.guarded.cursor() as cursor:
                cursor.execute(READ_ONLY[self.guarded.vendor][1])
        self.guarded = None

    def query(self, sql: str, values: tuple = ()) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall()

    @source("the migration files")
    def files(self) -> Files:
        try:
            return read_files(self.connection if self.history else None)
        except Unreadable:
            return read_files(None)

    @source("the recorded history")
    def history(self) -> list[Record]:
        return read_history(self.connection)

    @property
    def applied(self) -> set[Name]:
        """The migrations that are recorded, squashes included. Raises Unreadable when the history can't be read."""
        return set(self.files.loader.applied_migrations) if self.history else set()

    @source("the live schema")
    def live(self) -> Schema:
        return read_schema(self.connection)

    @source("the replayed schema")
    def replayed(self) -> Expected:
        if self.files.graph_error or self.files.loader.broken:
            raise Unreadable("the expected schema", "migrations can't be replayed while their files don't make a graph")
        folder = self.cache_folder or cache.default_folder()
        key = cache.fingerprint(self.files, self.applied, self.connection)
        expected = cache.load(folder, key)
        if expected is None:
            from migration_runbooks.integrity.sources.replay import replay
            from migration_runbooks.integrity.sources.scratch import scratch_database

            with scratch_database(self.alias):
                expected = replay(self.alias, self.files, self.applied)
            cache.keep(folder, key, expected)
        return expected

    @source("the expected schema")
    def expected(self) -> Expected:
        if not self.quick:
            try:
                return self.replayed
            except Unreadable as error:
                reason = str(error)
        else:
            reason = "--quick was given"
        expected = expected_of_models(self.connection)
        self.not_checked.append(f"{UNSEEN}: the schema was compared with the models alone ({reason})")
        return expected

    @source("half-applied migrations")
    def half_applied(self) -> list[Half]:
        return find_half_applied(self.expected, self.live)

    @source("what is missing")
    def missing(self) -> frozenset[Fact]:
        """What should be in the database, is not, and is not explained by a half-applied migration."""
        explained = frozenset().union(*(half.removed for half in self.half_applied))
        return self.expected.schema.facts() - self.live.facts() - explained

    @source("what is too much")
    def extra(self) -> frozenset[Fact]:
        """What is in the database, should not be, and is not explained by a half-applied migration."""
        explained = frozenset().union(*(half.added for half in self.half_applied))
        return self.live.facts() - self.expected.schema.facts() - explained

    def owner(self, table: str) -> str:
        """Return the app of a table, by its model or by its name; empty if none is known."""
        from django.apps import apps

        known = self.expected.owners.get(table)
        by_name = (config.label for config in apps.get_app_configs() if table.startswith(f"{config.label}_"))
        return known or max(by_name, key=len, default="")

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        begin, inside = time.perf_counter(), sum(self.seconds.values())
        try:
            yield
        finally:
            took = time.perf_counter() - begin
            self.seconds[name] = took - (sum(self.seconds.values()) - inside)
