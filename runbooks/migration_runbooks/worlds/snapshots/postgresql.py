"""Describe a PostgreSQL database. https://www.postgresql.org/docs/current/catalogs.html"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration_runbooks.worlds.snapshots.snapshot import Table

if TYPE_CHECKING:
    from psycopg import Cursor

NAME = "CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END"
FROM = """
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    {join}
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'
    {where}
    ORDER BY 1, 2"""

TABLES = f"SELECT {NAME}, c.oid {FROM}"

COLUMNS = (
    f"SELECT {NAME}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
    "pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text"
    + FROM.format(
        join="JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum",
        where="AND a.attnum > 0 AND NOT a.attisdropped",
    )
)

# A constraint of the kind "n" says NOT NULL once more, under a name that the server chose, unless it is not valid.
CONSTRAINTS = f"SELECT {NAME}, 'constraint ' || k.conname || ': ' || pg_get_constraintdef(k.oid)" + FROM.format(
    join="JOIN pg_constraint k ON k.conrelid = c.oid", where="AND (k.contype <> 'n' OR NOT k.convalidated)"
)

INDEXES = (
    f"SELECT {NAME}, 'index ' || i.relname || ': ' || pg_get_indexdef(i.oid) || "
    "CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END"
    + FROM.format(join="JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid", where="")
)

TRIGGERS = f"SELECT {NAME}, 'trigger ' || t.tgname || ': ' || pg_get_triggerdef(t.oid)" + FROM.format(
    join="JOIN pg_trigger t ON t.tgrelid = c.oid", where="AND NOT t.tgisinternal"
)

SEQUENCES = (
    "SELECT CASE WHEN schemaname = 'public' THEN sequencename ELSE schemaname || '.' || sequencename END, last_value "
    "FROM pg_sequences"
)


def quote(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def tables(cursor: Cursor) -> dict[str, Table]:
    """Return every table outside the system's schemas; those outside `public` with their schema's name."""
    cursor.execute(TABLES.format(join="", where=""))
    found = {name: Table() for name, _ in cursor.fetchall()}
    cursor.execute(COLUMNS)
    for table, *column in cursor.fetchall():
        found[table].columns.append(column[0])
        found[table].description.append(describe_column(*column))
    for query in (CONSTRAINTS, INDEXES, TRIGGERS):
        cursor.execute(query)
        for table, line in cursor.fetchall():
            found[table].description.append(line)
    return found


def describe_column(name: str, kind: str, not_null: bool, default: str | None, identity: str, generated: str) -> str:
    rule = "generated as" if generated else "default"
    extras = (f" {rule} {default}" if default is not None else "") + (f" identity {identity}" if identity else "")
    return f"column {name}: {kind} {'not null' if not_null else 'null'}{extras}"


def sequences(cursor: Cursor) -> dict[str, int | None]:
    cursor.execute(SEQUENCES)
    return dict(cursor.fetchall())
