"""Compares the indexes and constraints of the next migrations with those of the same names. STEP says what to do about it."""

import os
import re
import sys

from django.db import connections, router, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

FOUND, OK, UNKNOWN = 1, 0, 2
COMPARED = {"AddIndex": "index", "AddIndexConcurrently": "index", "AddConstraint": "constraint", "AddConstraintNotValid": "constraint"}
SCRATCH = "adopt_scratch"

# --- what is there ---------------------------------------------------------------------------------------------------------


def query(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def tables_by_name():
    """{name of an index or constraint: the tables that have it}"""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for name in connection.introspection.get_constraints(cursor, table):
                found.setdefault(name, set()).add(table)
    return found


def plain(text):
    """A definition without what may differ between equal ones: quotes, spaces, the case of letters before a condition."""
    text = re.sub(r" ?([(),]) ?", r"\1", re.sub(r"\s+", " ", re.sub(r'["`\[\]]', "", text)))
    before, where, condition = text.strip(" ,;").partition(" WHERE ")
    return before.lower() + where + condition


def definition(table, name):
    """What the database says of the index or constraint `name`, or None."""
    if connection.vendor == "sqlite":
        rows = query("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = %s", [name])
    elif connection.vendor == "mysql":
        lines = query(f"SHOW CREATE TABLE {connection.ops.quote_name(table)}")[0][1].splitlines()
        rows = [(line,) for line in lines if f" `{name}` " in line]
    else:
        rows = query(
            "SELECT coalesce((SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE conrelid = %s::regclass AND conname = %s),"
            " (SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON .* USING ', ' USING ') || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END"
            " FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = %s::regclass AND relname = %s))",
            [connection.ops.quote_name(table), name] * 2,
        )
    return rows[0][0] if rows else None


# --- what the migration makes ------------------------------------------------------------------------------------------------


def statement_of(operation, model):
    """The statement with which Django makes the index or constraint; SQLite rebuilds the table for what begins with ALTER."""
    made = getattr(operation, COMPARED[type(operation).__name__])
    return str(made.create_sql(model, connection.schema_editor(collect_sql=True)) or "")


def definition_made(operation, model, name):
    """The same as `definition`, of what the operation makes: on a temporary copy of the table without rows, or from its text."""
    if connection.vendor == "sqlite":
        return statement_of(operation, model)
    table, quote = model._meta.db_table, connection.ops.quote_name
    with transaction.atomic(using=connection.alias):
        query(f"CREATE TEMPORARY TABLE {SCRATCH} {'LIKE ' + quote(table) if connection.vendor == 'mysql' else '(LIKE ' + quote(table) + ')'}")
        model._meta.db_table = SCRATCH
        try:
            if connection.vendor == "mysql" and (there := definition(SCRATCH, name)):
                query(f"ALTER TABLE {SCRATCH} DROP {'CONSTRAINT' if 'CONSTRAINT' in there else 'INDEX'} {quote(name)}")
            query(statement_of(operation, model))
            return definition(SCRATCH, name)
        finally:
            model._meta.db_table = table
            if connection.vendor == "mysql":
                query(f"DROP TEMPORARY TABLE {SCRATCH}")
            else:
                transaction.set_rollback(True, using=connection.alias)


def compared(key, before):
    """([(table, name) that are there], [why the migration can't be recorded]) of a waiting migration."""
    found, state = [], before.clone()
    obstacles = ["  It replaces other migrations"] if loader.graph.nodes[key].replaces else []
    for operation in loader.graph.nodes[key].operations:
        operation.state_forwards(key[0], state)
        if type(operation).__name__ not in COMPARED:
            obstacles.append(f"  {type(operation).__name__}: not an index or constraint with a name, so it can't be compared")
            continue
        model = state.apps.get_model(key[0], operation.model_name)
        name, table = getattr(operation, COMPARED[type(operation).__name__]).name, model._meta.db_table
        statement = statement_of(operation, model)
        if not router.allow_migrate_model(connection.alias, model) or not statement:
            continue
        owners = there.get(name, set())
        clash = bool(owners) if connection.vendor != "mysql" else table in owners
        if not clash or (connection.vendor == "sqlite" and statement.startswith("ALTER")):
            obstacles.append(f"  {table} has no {name} yet, or SQLite makes it with the table")
            continue
        found.append((table, name))
        if table not in owners:
            obstacles.append(f"  {name} belongs to {' '.join(sorted(owners))}")
        elif (is_there := definition(table, name)) is None or plain(is_there) != plain(definition_made(operation, model, name)):
            obstacles.append(f"  {table} has:  {is_there}\n  {key[1]} makes: {statement}")
    return found, obstacles


def first_clash():
    """(key, what is there, obstacles) of a waiting migration that could run next and makes something that is there, or None."""
    state = loader.project_state([key for key in loader.applied_migrations if key in loader.graph.nodes])
    # A later one may make anew what one before it removes.
    for key in (key for key in order if key not in loader.applied_migrations and parents(key) <= loader.applied_migrations.keys()):
        found, obstacles = compared(key, state)
        if found:
            return key, found, obstacles
    return None


def parents(key):
    return {parent.key for parent in loader.graph.node_map[key].parents}


# --- steps -------------------------------------------------------------------------------------------------------------------


def diagnose():
    """0: nothing that waits is there. 1: it is there and equal. 2: it is there and differs, or can't be compared."""
    if not clash:
        print("No waiting migration makes an index or constraint that is there already.")
        return OK
    print(f"{'.'.join(clash[0])} is not recorded, and what it makes is there already: {', '.join(map('.'.join, clash[1]))}")
    if clash[2]:
        print("It can't be recorded as it is:", *clash[2], sep="\n")
        return UNKNOWN
    print(f"All that it makes is there and equal.\nMIGRATION={'.'.join(clash[0])}")
    return FOUND


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def fix():
    if key not in loader.graph.nodes:
        return refuse(f"{'.'.join(key)} is not a migration of this project. Run diagnose again.")
    if key in loader.applied_migrations:
        print(f"Nothing to do: {'.'.join(key)} is recorded.")
        return OK
    if not clash or clash[0] != key:
        return refuse(f"{'.'.join(key)} is not what diagnose finds. Run diagnose again.")
    if clash[2]:
        return refuse("\n".join([f"what is there is not what {'.'.join(key)} makes:", *clash[2]]))
    MigrationRecorder(connection).record_applied(*key)
    print(f"Recorded {'.'.join(key)}. No table was touched.")
    return OK


def undo():
    if key not in loader.graph.nodes:
        return refuse(f"{'.'.join(key)} is not a migration of this project.")
    if key not in loader.applied_migrations:
        print(f"Nothing to undo: {'.'.join(key)} is not recorded.")
        return OK
    if later := [child.key for child in loader.graph.node_map[key].children if child.key in loader.applied_migrations]:
        return refuse(f"{' '.join(map('.'.join, sorted(later)))} was recorded since, and needs {'.'.join(key)}.")
    MigrationRecorder(connection).record_unapplied(*key)
    print(f"{'.'.join(key)} is not recorded, as before the fix.")
    return OK


def verify():
    if key not in loader.applied_migrations:
        print(f"{'.'.join(key)} is not recorded.")
        return 1
    print(f"{'.'.join(key)} is recorded.")
    return min(diagnose(), 1)


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    loader, key = MigrationLoader(connection), tuple(os.environ.get("MIGRATION", "").split(".", 1))
    loader.check_consistent_history(connection)
    order = list(dict.fromkeys(each for leaf in sorted(loader.graph.leaf_nodes()) for each in loader.graph.forwards_plan(leaf)))
    if os.environ["STEP"] != "undo":
        there = tables_by_name() if set(order) - set(loader.applied_migrations) else {}
        clash = first_clash()
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
