"""How faults are planted: SQL past Django, files past makemigrations."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import psycopg
from migration_runbooks.worlds import Sandbox
from migration_runbooks.worlds.engines import postgresql


def sql(sandbox: Sandbox, *statements: str) -> None:
    """Run statements in one session that enforces no foreign key."""
    before = {"sqlite": "PRAGMA foreign_keys = OFF", "mariadb": "SET foreign_key_checks = 0", "postgresql": "SELECT 1"}
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in (before[sandbox.database], *statements):
            cursor.execute(statement)
        connection.commit()


def unenforced(sandbox: Sandbox, statement: str) -> None:
    """Run a statement as a restore does that switches the foreign keys off."""
    if sandbox.database != "postgresql":
        return sql(sandbox, statement)
    socket = str(postgresql.socket_folder())
    with psycopg.connect(host=socket, user="postgres", dbname=sandbox.place.database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


def rebuild(sandbox: Sandbox, table: str, pattern: str, replacement: str) -> None:
    """SQLite: make the table anew with another definition, keeping its rows and indexes."""
    with closing(sqlite3.connect(sandbox.project / "db.sqlite3")) as connection:
        (definition,) = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [table]).fetchone()
        indexes = connection.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql NOTNULL", [table])
        indexes = [index for (index,) in indexes.fetchall()]
        columns = ", ".join(f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})"))
        changed, count = re.subn(pattern, replacement, definition)
        assert count == 1, f"{pattern} is not once in {definition}"
        connection.executescript(
            "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; BEGIN;"
            + re.sub(rf'"?\b{table}\b"?', '"rebuilt"', changed, count=1)
            + f';INSERT INTO rebuilt ({columns}) SELECT * FROM "{table}"; DROP TABLE "{table}"; ALTER TABLE rebuilt RENAME TO "{table}";'
            + "".join(f"{index};" for index in indexes)
            + "COMMIT;"
        )


def drop_index(sandbox: Sandbox, table: str, column: str) -> None:
    """SQLite: drop the index on a column: Django's names end in a hash."""
    ask = f"SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' AND sql LIKE '%(_{column}_)'"
    ((name,),) = sandbox.execute(ask)
    sql(sandbox, f'DROP INDEX "{name}"')


def constraint(sandbox: Sandbox, table: str, column: str) -> str:
    """Return the name of the foreign key on a column: Django's names end in a hash."""
    ask = {
        "postgresql": "SELECT conname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "
        f"WHERE k.contype = 'f' AND k.conrelid = '{table}'::regclass AND a.attname = '{column}'",
        "mariadb": "SELECT constraint_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() "
        f"AND table_name = '{table}' AND column_name = '{column}' AND referenced_table_name IS NOT NULL",
    }
    return sandbox.execute(ask[sandbox.database])[0][0]


def migration(sandbox: Sandbox, app: str, name: str, parent: str, operations: str = "") -> None:
    """Write a migration file."""
    (sandbox.project / app / "migrations" / f"{name}.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("{app}", "{parent}")]\n    operations = [{operations}]\n'
    )


def edit(sandbox: Sandbox, file: str, old: str, new: str) -> None:
    path = sandbox.project / file
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is not once in {file}"
    path.write_text(text.replace(old, new))
