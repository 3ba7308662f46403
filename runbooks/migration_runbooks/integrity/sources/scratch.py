"""A scratch database of the same kind beside the live one, and every alias led to it while it is there.

A migration's Python may name an alias, or none and so mean the default one: while migrations are replayed no alias may
lead to a live database, in any thread.
"""

from __future__ import annotations

import copy
import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from migration_runbooks.integrity.finding import Unreadable

SOURCE = "the expected schema"
NOWHERE = {"ENGINE": "django.db.backends.dummy"}


@contextmanager
def scratch_database(alias: str) -> Iterator[None]:
    """Lead all aliases to a new, empty database until the end, then drop it.

    Raises Unreadable when none may be made. One that a killed run has left behind is dropped first.
    """
    connection = connections[alias]
    maker = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mariadb}[connection.vendor]
    with maker(connection) as changes, redirected(alias, changes):
        yield


@contextmanager
def redirected(alias: str, changes: dict[str, Any]) -> Iterator[None]:
    """Replace the settings of every alias: the same kind of database leads to the scratch one, any other nowhere."""
    kept = dict(connections.settings)
    scratch = copy.deepcopy(kept[alias]) | changes
    scratch["OPTIONS"] = {name: value for name, value in scratch.get("OPTIONS", {}).items() if name != "pool"}
    forget_connections()
    try:
        for name, settings in kept.items():
            same_kind = settings["ENGINE"] == scratch["ENGINE"]
            connections.settings[name] = copy.deepcopy(scratch if same_kind else settings | NOWHERE)
        demand_scratch(connections[alias], scratch["NAME"])
        yield
    finally:
        forget_connections()
        connections.settings.update(kept)


def forget_connections() -> None:
    for alias in connections.settings:
        connections[alias].close()
        del connections[alias]


def demand_scratch(connection: BaseDatabaseWrapper, name: str) -> None:
    """Refuse to go on unless the database itself says that it is the scratch one."""
    ask = {"postgresql": "SELECT current_database()", "mysql": "SELECT DATABASE()"}.get(connection.vendor)
    with connection.cursor() as cursor:
        if ask:
            cursor.execute(ask)
            there = cursor.fetchone()[0]
        else:
            there = next(row[2] for row in cursor.execute("PRAGMA database_list").fetchall() if row[1] == "main")
            there, name = str(Path(there).resolve()), str(Path(name).resolve())
        if there != name:
            raise Unreadable(SOURCE, f"the scratch database {name} was asked for, but {there} answered")
        PREPARE[connection.vendor](cursor)


def make_fast(cursor) -> None:
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.execute("PRAGMA journal_mode = MEMORY")


def make_first_schema(cursor) -> None:
    """A project that works in a schema of its own finds none in a new database."""
    cursor.execute("SELECT current_schema(), split_part(current_setting('search_path'), ',', 1)")
    there, first = cursor.fetchone()
    if there is None:
        cursor.execute(f"CREATE SCHEMA {first}")


PREPARE = {"sqlite": make_fast, "postgresql": make_first_schema, "mysql": lambda cursor: None}


@contextmanager
def sqlite(connection: BaseDatabaseWrapper) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="migration-integrity-") as folder:
        yield {"NAME": str(Path(folder) / "scratch.sqlite3")}


def names(connection: BaseDatabaseWrapper, longest: int = 63) -> tuple[str, str]:
    """Return what the names of all scratch databases of this database begin with, and a new one."""
    live = connection.settings_dict["NAME"] or connection.get_connection_params().get("service", "")
    prefix = f"{live[:30]}_integrity_{hashlib.sha256(live.encode()).hexdigest()[:8]}_"
    return prefix, prefix + secrets.token_hex(4)


@contextmanager
def postgresql(connection: BaseDatabaseWrapper) -> Iterator[dict[str, Any]]:
    prefix, name = names(connection)
    template = connection.settings_dict.get("TEST", {}).get("TEMPLATE")
    quote = connection.ops.quote_name
    try:
        with connection._nodb_cursor() as cursor:
            for left in databases(cursor, "SELECT datname FROM pg_database", prefix):
                drop_unless_used(cursor, f"DROP DATABASE IF EXISTS {quote(left)}")
            cursor.execute(f"CREATE DATABASE {quote(name)}" + (f" TEMPLATE {quote(template)}" if template else ""))
    except DatabaseError as error:
        raise refused(error, "ALTER ROLE … CREATEDB gives the right") from error
    try:
        yield {"NAME": name}
    finally:
        with connection._nodb_cursor() as cursor:
            # A thread that a migration started may still hold a connection to it.
            cursor.execute(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")


@contextmanager
def mariadb(connection: BaseDatabaseWrapper) -> Iterator[dict[str, Any]]:
    prefix, name = names(connection)
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_database, @@collation_database")
        charset, collation = cursor.fetchone()
    with connection._nodb_cursor() as cursor:
        try:
            for left in databases(cursor, "SELECT schema_name FROM information_schema.schemata", prefix):
                cursor.execute("SELECT IS_FREE_LOCK(%s)", [left])
                if cursor.fetchone()[0]:
                    cursor.execute(f"DROP DATABASE {quote(left)}")
            # The lock says that this run lives: unlike PostgreSQL, MariaDB drops a database that is in use.
            cursor.execute("SELECT GET_LOCK(%s, 0)", [name])
            cursor.execute(f"CREATE DATABASE {quote(name)} CHARACTER SET {charset} COLLATE {collation}")
        except DatabaseError as error:
            raise refused(error, f"GRANT ALL ON `{prefix}%`.* gives the right") from error
        try:
            yield {"NAME": name}
        finally:
            cursor.execute(f"DROP DATABASE IF EXISTS {quote(name)}")


def databases(cursor, query: str, prefix: str) -> list[str]:
    cursor.execute(query)
    return [name for (name,) in cursor.fetchall() if name.startswith(prefix)]


def drop_unless_used(cursor, statement: str) -> None:
    try:
        cursor.execute(statement)
    except DatabaseError:
        pass  # another check is at work in it


def refused(error: Exception, remedy: str) -> Unreadable:
    return Unreadable(SOURCE, f"no scratch database can be made: {' '.join(str(error).split())}. {remedy}.")
