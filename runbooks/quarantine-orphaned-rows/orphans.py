"""Finds rows whose foreign key points to nothing, and moves them to tables of their own. STEP says what to do."""

import os
import sys
from collections import defaultdict

from django.apps import apps
from django.db import connections, transaction
from django.db.backends.utils import truncate_name

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
quote = connection.ops.quote_name
KEPT_ROWS, KEPT_VALUES = "quarantined_", "unlinked_"


def query(sql, values=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def in_chunks(keys, size=500):
    keys = sorted(keys)
    return (keys[start : start + size] for start in range(0, len(keys), size))


def kept(prefix, name):
    return truncate_name(f"{prefix}{name}", length=connection.ops.max_name_length() or 63)


def read_schema():
    """({table: {column: may be NULL}}, {table: its primary key column}, {table: its constraints})"""
    columns, keys, constraints = {}, {}, {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            columns[table] = {c.name: c.null_ok for c in connection.introspection.get_table_description(cursor, table)}
            constraints[table] = connection.introspection.get_constraints(cursor, table).values()
            primary = next((each["columns"] for each in constraints[table] if each["primary_key"]), [])
            keys[table] = primary[0] if len(primary) == 1 else None
    return columns, keys, constraints


def read_foreign_keys():
    """Every (table, column, parent table, parent column): of the models, and those that only the database knows."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if field.remote_field and getattr(field, "db_constraint", False) and not model._meta.proxy:
                target = field.target_field
                found.add((model._meta.db_table, field.column, target.model._meta.db_table, target.column))
    for table, those in constraints.items():
        for constraint in those:
            if constraint["foreign_key"] and len(constraint["columns"]) == 1:
                found.add((table, constraint["columns"][0], *constraint["foreign_key"]))
    return sorted(key for key in found if key[1] in columns.get(key[0], {}) and key[3] in columns.get(key[2], {}))


columns, primary_keys, constraints = read_schema()
foreign_keys = read_foreign_keys()


def orphans_of(table, column, parent, parent_column):
    """Primary keys of the rows of `table` whose `column` names no row of `parent`: the anti-join."""
    child, other = quote(table), quote(parent)
    rows = query(
        f"SELECT c.{quote(primary_keys[table])} FROM {child} c LEFT JOIN {other} p ON p.{quote(parent_column)} = c.{quote(column)} "
        f"WHERE c.{quote(column)} IS NOT NULL AND p.{quote(parent_column)} IS NULL"
    )
    return {key for (key,) in rows}


def all_orphans():
    found = {key: orphans_of(*key) for key in foreign_keys if primary_keys[key[0]]}
    return {key: rows for key, rows in found.items() if rows}


def plan(chosen):
    """({table: rows to move out}, {(table, column): rows whose value becomes NULL}) for these foreign keys."""
    move, unlink = defaultdict(set), defaultdict(set)
    waiting = []

    def take(table, column, rows):
        if columns[table][column]:
            unlink[table, column] |= rows
        elif rows - move[table]:
            waiting.append((table, rows - move[table]))
            move[table] |= rows

    for key in chosen:
        take(*key[:2], all_found[key])
    while waiting:
        parent, keys = waiting.pop()
        for table, column, other, other_column in foreign_keys:
            if other == parent and primary_keys[table]:
                take(table, column, rows_pointing_to(table, column, parent, other_column, keys))
    for (table, _), rows in unlink.items():
        rows -= move[table]
    return {t: rows for t, rows in move.items() if rows}, {c: rows for c, rows in unlink.items() if rows}


def rows_pointing_to(table, column, parent, parent_column, keys):
    found = set()
    for chunk in in_chunks(keys):
        marks = ", ".join(["%s"] * len(chunk))
        found |= {key for (key,) in query(
            f"SELECT c.{quote(primary_keys[table])} FROM {quote(table)} c JOIN {quote(parent)} p ON p.{quote(parent_column)} = c.{quote(column)} "
            f"WHERE p.{quote(primary_keys[parent])} IN ({marks})", chunk)}
    return found


all_found = all_orphans()


def named(keys):
    return " ".join(f"{table}.{column}" for table, column, *_ in sorted(keys))


def describe(move, unlink):
    for table, rows in sorted(move.items()):
        print(f"  {table}: {len(rows)} rows move to {kept(KEPT_ROWS, table)}")
    for (table, column), rows in sorted(unlink.items()):
        print(f"  {table}.{column}: {len(rows)} values become NULL, kept in {kept(KEPT_VALUES, f'{table}_{column}')}")


def diagnose():
    """0: no orphans. 1: orphans, and what the fix would move. 2: orphans in a table without a single primary key."""
    unreadable = [key for key in foreign_keys if not primary_keys[key[0]]]
    if not all_found:
        print("No orphaned rows." + (f" Not looked at, for want of a primary key of one column: {named(unreadable)}" if unreadable else ""))
        return 2 if unreadable else 0
    for key, rows in sorted(all_found.items()):
        some = ", ".join(str(row) for row in sorted(rows)[:5])
        print(f"{key[0]}.{key[1]}: {len(rows)} rows point to no row of {key[2]} ({primary_keys[key[0]]}: {some}{', …' if len(rows) > 5 else ''})")
    print("The fix, with the rows that depend on them:")
    describe(*plan(all_found))
    print(f"ORPHANS={named(all_found)}")
    return 1


def make_tables(move, unlink):
    """Before the transaction, since MariaDB ends a transaction at each CREATE TABLE."""
    for table in move:
        query(f"CREATE TABLE IF NOT EXISTS {quote(kept(KEPT_ROWS, table))} AS SELECT * FROM {quote(table)} WHERE 1 = 0")
    for table, column in unlink:
        name = quote(kept(KEPT_VALUES, f"{table}_{column}"))
        query(f"CREATE TABLE IF NOT EXISTS {name} AS SELECT {quote(primary_keys[table])}, {quote(column)} FROM {quote(table)} WHERE 1 = 0")


def for_rows(sql, table, rows):
    key = quote(primary_keys[table])
    return sum(query(f"{sql} WHERE {key} IN ({', '.join(['%s'] * len(chunk))})", chunk) for chunk in in_chunks(rows))


def fix():
    wanted = os.environ["ORPHANS"].split()
    real = {f"{table}.{column}" for table, column, *_ in foreign_keys}
    if not wanted or not set(wanted) <= real:
        print(f"Refused, nothing was changed: not a foreign key of this project: {' '.join(set(wanted) - real) or '(none given)'}", file=sys.stderr)
        return 1
    chosen = [key for key in all_found if f"{key[0]}.{key[1]}" in wanted]
    if not chosen:
        print(f"Nothing to do: no orphaned rows in {' '.join(wanted)}.")
        return 0
    move, unlink = plan(chosen)
    make_tables(move, unlink)
    with transaction.atomic(using=connection.alias):
        for (table, column), rows in unlink.items():
            key, name = quote(primary_keys[table]), quote(kept(KEPT_VALUES, f"{table}_{column}"))
            for_rows(f"INSERT INTO {name} SELECT {key}, {quote(column)} FROM {quote(table)}", table, rows)
            for_rows(f"UPDATE {quote(table)} SET {quote(column)} = NULL", table, rows)
        for table, rows in reversed(move.items()):
            copied = for_rows(f"INSERT INTO {quote(kept(KEPT_ROWS, table))} SELECT * FROM {quote(table)}", table, rows)
            deleted = for_rows(f"DELETE FROM {quote(table)}", table, rows)
            if not copied == deleted == len(rows):
                raise SystemExit(f"Stopped, nothing was changed: {table} changed meanwhile. Run it again.")
    print("Done:")
    describe(move, unlink)
    return 0


def kept_tables():
    """({table: table of its kept rows}, {(table, column): table of its kept values}) that are there and hold something."""
    rows = {t: kept(KEPT_ROWS, t) for t in columns if kept(KEPT_ROWS, t) in columns}
    values = {(t, c): kept(KEPT_VALUES, f"{t}_{c}") for t, c, *_ in foreign_keys if kept(KEPT_VALUES, f"{t}_{c}") in columns}
    return rows, values


def undo():
    rows, values = kept_tables()
    if not rows and not values:
        print("Nothing to undo: no rows are in quarantine.")
        return 0
    try:
        with connection.constraint_checks_disabled(), transaction.atomic(using=connection.alias):
            for table in sorted(rows, key=depth):
                names = ", ".join(map(quote, columns[rows[table]]))
                query(f"INSERT INTO {quote(table)} ({names}) SELECT {names} FROM {quote(rows[table])}")
                query(f"DELETE FROM {quote(rows[table])}")
            for (table, column), name in values.items():
                key = quote(primary_keys[table])
                query(f"UPDATE {quote(table)} SET {quote(column)} = (SELECT k.{quote(column)} FROM {quote(name)} k WHERE k.{key} = {quote(table)}.{key}) "
                      f"WHERE {key} IN (SELECT {key} FROM {quote(name)})")
                query(f"DELETE FROM {quote(name)}")
    except Exception as error:
        print(f"Refused, nothing was changed: {error}", file=sys.stderr)
        return 1
    for name in [*rows.values(), *values.values()]:
        query(f"DROP TABLE {quote(name)}")
    print("Every row and value is back where it was.")
    return 0


def depth(table, seen=()):
    """How many foreign keys lie above the table, so that parents are put back before their children."""
    parents = {p for t, _, p, _ in foreign_keys if t == table and p != table and p not in seen}
    return 1 + max((depth(p, (*seen, table)) for p in parents), default=0)


def verify():
    wanted = os.environ.get("ORPHANS", "").split() or [f"{t}.{c}" for t, c, *_ in foreign_keys]
    left = {key: rows for key, rows in all_found.items() if f"{key[0]}.{key[1]}" in wanted}
    print(*[f"{key[0]}.{key[1]}: {len(rows)} orphaned rows" for key, rows in left.items()] or ["No orphaned rows."], sep="\n")
    return 1 if left else 0


sys.exit({"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]())
