"""Finds invalid indexes, and drops or rebuilds them without stopping reads or writes. STEP says what to do."""

import os
import re
import sys
from collections import namedtuple

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL, SeparateDatabaseAndState

OK, INVALID, UNKNOWN = 0, 1, 2
INDEXES = """
SELECT indexrelid, indexrelid::regclass::text, relname, indrelid, indrelid::regclass::text, indisunique, indnkeyatts,
    pg_get_expr(indpred, indrelid), {nulls}, indisready
FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE NOT indisvalid AND relkind = 'i' AND nspname <> 'pg_toast' ORDER BY 2
"""
# VACUUM by the server itself holds this lock too, and leaves no index invalid.
WORKERS = """
SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = %s AND datname = current_database() AND mode = 'ShareUpdateExclusiveLock' AND granted AND backend_type <> 'autovacuum worker'
"""
LEFTOVER = re.compile(r"_cc(new|old)\d*$")
Index = namedtuple("Index", "oid name plain_name table_oid table unique keys condition nulls_equal ready")


def query(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def invalid_indexes():
    nulls = "indnullsnotdistinct" if connection.pg_version >= 150000 else "false"
    return [Index(*row) for row in query(INDEXES.format(nulls=nulls))]


def worker(index):
    """The process that builds or drops an index of this table now, or None."""
    return next((pid for (pid,) in query(WORKERS, [index.table_oid])), None)


def duplicate(index):
    """(values, rows) that the unique index can't hold, or None."""
    if not index.unique or LEFTOVER.search(index.plain_name):
        return None
    keys = [query("SELECT pg_get_indexdef(%s, %s, true)", [index.oid, number])[0][0] for number in range(1, index.keys + 1)]
    where = [f"({index.condition})"] if index.condition else []
    where += [] if index.nulls_equal else [f"({key}) IS NOT NULL" for key in keys]
    found = query(
        f"SELECT {', '.join(f'({key})::text' for key in keys)}, count(*) FROM {index.table}"
        f"{' WHERE ' if where else ''}{' AND '.join(where)} GROUP BY {', '.join(f'({key})' for key in keys)} HAVING count(*) > 1 LIMIT 1"
    )
    return (", ".join(keys), ", ".join(map(str, found[0][:-1])), found[0][-1]) if found else None


def makes(operation, name):
    """Whether an operation of a migration makes the index of that name."""
    if isinstance(operation, SeparateDatabaseAndState):
        return any(makes(each, name) for each in operation.database_operations)
    if isinstance(operation, RunSQL):
        return bool(re.search(rf"\bCREATE\b[^;]*\b{re.escape(name)}\b", str(operation.sql), re.IGNORECASE))
    made = getattr(operation, "index", None) or getattr(operation, "constraint", None)
    return type(operation).__name__.startswith("Add") and getattr(made, "name", None) == name


def makers(name):
    """[(key, is recorded)] of the migrations that make the index."""
    loader = MigrationLoader(connection)
    found = [key for key, migration in sorted(loader.disk_migrations.items()) if any(makes(each, name) for each in migration.operations)]
    return [(key, key in loader.applied_migrations) for key in found]


def waiting_migration(index):
    """The migration that is not recorded and makes the index."""
    return next((".".join(key) for key, recorded in makers(index.plain_name) if not recorded), None)


def obstacle(index):
    if pid := worker(index):
        return f"process {pid} is at work on {index.table}: wait until it is done"
    if found := duplicate(index):
        return f"{index.table} has {found[2]} rows with ({found[0]})=({found[1]}), and the index is unique: remove the duplicates first"
    return None


def repair(index):
    """(statement, what it does), the same before and after a kill."""
    if LEFTOVER.search(index.plain_name):
        return f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", "is dropped: a REINDEX CONCURRENTLY that failed left it"
    if migration := waiting_migration(index):
        return f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", f"is dropped: {migration} makes it again"
    return f"REINDEX INDEX CONCURRENTLY {index.name}", "is rebuilt: no waiting migration makes it"


def described(index):
    return f"{index.name} on {index.table} is invalid: no query uses it" + (", and every write still pays for it" if index.ready else "")


def diagnose():
    """0: all indexes are valid. 1: these are not, and can be repaired. 2: something stands in the way."""
    if not indexes:
        print("Every index is valid.")
        return OK
    free = []
    for index in indexes:
        print(described(index))
        if why := obstacle(index):
            print(f"  {why}")
        else:
            free.append(index.name)
            print(f"  It {repair(index)[1]}")
    if not free:
        return UNKNOWN
    print(f"INDEXES={' '.join(free)}")
    return INVALID


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def named():
    """The indexes of the input; a name in quotes may have spaces."""
    return list(dict.fromkeys(re.findall(r'(?:"[^"]*"|[^\s"])+', os.environ.get("INDEXES", ""))))


def fix():
    names = named()
    # What the fix dropped, and a migration makes again, is no longer there, and yet no wrong value.
    unknown = [name for name in names if not LEFTOVER.search(name) and name not in known and not makers(name)]
    if unknown or not names:
        return refuse(f"no index here, and none of a migration: {' '.join(unknown) or '(none given)'}. Run diagnose again.")
    chosen = [index for index in indexes if index.name in names or LEFTOVER.sub("", index.name) in names]
    if obstacles := list(filter(None, map(obstacle, chosen))):
        return refuse("; ".join(obstacles))
    if not chosen:
        print("Nothing to do: none of these indexes is invalid.")
    for timeout in ("lock_timeout", "statement_timeout"):
        query(f"SET {timeout} = 0")
    for index in chosen:
        statement, what = repair(index)
        query(statement)
        print(f"{index.name} {what.replace('is ', 'was ', 1)}")
    return OK


def verify():
    for index in indexes:
        print(described(index))
    if not indexes:
        print("Every index is valid.")
    return INVALID if indexes else OK


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    if connection.vendor != "postgresql":
        raise ValueError("only PostgreSQL has invalid indexes")
    indexes = invalid_indexes()
    known = {name for (name,) in query("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'i'")}
    status = {"diagnose": diagnose, "fix": fix, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Stopped, and can't tell: {error}\nNo row was touched. Run diagnose again.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
