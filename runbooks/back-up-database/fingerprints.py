"""How many rows each table holds, and a checksum of them that does not depend on their order."""

from __future__ import annotations

import hashlib

POSTGRESQL_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS
      (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1"""
MARIADB_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables
    USING (table_schema, table_name) WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
    ORDER BY table_name, ordinal_position"""


def fingerprints(connection) -> dict[str, list]:
    """{table: [rows, checksum]} of every table that `connection` sees in its database, as its transaction sees it."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        with connection.wrap_database_errors:
            return of_sqlite(connection.connection)
    with connection.cursor() as cursor:
        return of_postgresql(cursor) if connection.vendor == "postgresql" else of_mariadb(cursor)


def of_sqlite(sqlite) -> dict[str, list]:
    """The same for a `sqlite3.Connection`; values are read as SQLite keeps them, not as Django shows them."""
    names = sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    found = {}
    for (name,) in names.fetchall():
        quoted = '"' + name.replace('"', '""') + '"'
        columns = [row[1] for row in sqlite.execute(f"PRAGMA table_info({quoted})")]
        raw = ", ".join('quote("' + column.replace('"', '""') + '")' for column in columns)
        rows = checksum = 0
        for row in sqlite.execute(f"SELECT {raw} FROM {quoted}"):
            rows += 1
            checksum += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big")
        found[name] = [rows, str(checksum)]
    return found


def of_postgresql(cursor) -> dict[str, list]:
    cursor.execute(POSTGRESQL_TABLES)
    found = {}
    for (name,) in cursor.fetchall():
        cursor.execute(f'SELECT count(*), coalesce(sum(hashtextextended("a row"::text, 0)), 0)::text FROM ONLY {name} "a row"')
        found[name] = list(cursor.fetchone())
    return found


def of_mariadb(cursor) -> dict[str, list]:
    cursor.execute(MARIADB_COLUMNS)
    columns = {}
    for table, column in cursor.fetchall():
        columns.setdefault(table, []).append("QUOTE(`" + column.replace("`", "``") + "`)")
    found = {}
    for table, quoted in columns.items():
        row = f"CONV(LEFT(MD5(CONCAT_WS('#', {', '.join(quoted)})), 15), 16, 10)"
        name = "`" + table.replace("`", "``") + "`"
        # No parameters are passed, so that a % in a name stays one.
        cursor.execute(f"SELECT COUNT(*), CAST(COALESCE(SUM(CAST({row} AS DECIMAL(20))), 0) AS CHAR) FROM {name}")
        found[table] = list(cursor.fetchone())
    return found
