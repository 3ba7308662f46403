"""Compares the recorded migrations with the tables and columns that are there. STEP says what to do about it."""

import os
import sys
from functools import cache

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
try:
    loader = MigrationLoader(connection)
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
    sys.exit(2)
graph, recorded = loader.graph, frozenset(key for key in loader.applied_migrations if key in loader.graph.nodes)


def missing_ancestors():
    """Migrations that recorded ones depend on, yet that have no row. Django's own rule: check_consistent_history."""
    needed = {parent for key in recorded for parent in graph.forwards_plan(key)}
    return needed - recorded


def descendants(keys):
    return {child for key in keys for child in graph.backwards_plan(key)}


@cache
def expected_tables(keys):
    """{table: its columns} after the migrations `keys`, as Django's state says."""
    models = loader.project_state(sorted(keys), at_end=True).apps.get_models(include_auto_created=True)
    return {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
        for model in models
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    }


@cache
def existing_tables():
    with connection.cursor() as cursor:
        return {
            table: {column.name for column in connection.introspection.get_table_description(cursor, table)}
            for table in connection.introspection.table_names(cursor)
        }


def differences(keys, other_keys):
    """What the database lacks, or has too much, if exactly `keys` were applied; tables of `other_keys` must not be there."""
    expected, existing = expected_tables(keys), existing_tables()
    lines = [f"no table {table}" for table in expected.keys() - existing.keys()]
    lines += [f"table {table} should not be there" for table in (expected_tables(other_keys).keys() - expected.keys()) & existing.keys()]
    for table in expected.keys() & existing.keys():
        lines += [f"no column {table}.{column}" for column in expected[table] - existing[table]]
        lines += [f"column {table}.{column} should not be there" for column in existing[table] - expected[table]]
    return sorted(lines)


def named(keys):
    return " ".join(f"{app}.{name}" for app, name in sorted(keys, key=order.index))


def parse(text):
    return {tuple(label.split(".", 1)) for label in text.split()}


order = [key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf)]
missing = missing_ancestors()
complete, reduced = recorded | missing, recorded - descendants(missing)
if_recorded = differences(complete, complete) if missing else []
if_removed = differences(reduced, complete) if if_recorded else []


def diagnose():
    """0: consistent. 1: RECORD or REMOVE makes it so. 2: the schema agrees with neither."""
    if not missing:
        print("The history is consistent: every recorded migration has its dependencies recorded.")
        return 0
    print(f"Not recorded, though {len(descendants(missing) & recorded)} recorded migrations depend on them: {named(missing)}")
    if not if_recorded:
        print("The tables and columns of the missing ones are there: their rows were lost.")
        print(f"RECORD={named(missing)}\nREMOVE=")
        return 1
    if not if_removed:
        print("The tables and columns of the recorded ones are not there: their rows were copied.")
        print(f"RECORD=\nREMOVE={named(recorded - reduced)}")
        return 1
    print("The schema fits neither. If the missing ones were recorded:", *if_recorded, sep="\n  ")
    print("If the rows of those that depend on them were removed:", *if_removed, sep="\n  ")
    return 2


def fix():
    if not missing:
        print("Nothing to do: the history is consistent.")
        return 0
    record, remove = parse(os.environ["RECORD"]), parse(os.environ["REMOVE"])
    found = (missing, set()) if not if_recorded else (set(), recorded - reduced) if not if_removed else None
    if (record, remove) != found:
        print("Refused, nothing was changed: RECORD and REMOVE are not what diagnose finds. Run diagnose again.", file=sys.stderr)
        return 1
    write(record, remove)
    print(f"Recorded {len(record)}, removed {len(remove)} rows of django_migrations.")
    return 0


def undo():
    record, remove = parse(os.environ["RECORD"]), parse(os.environ["REMOVE"])
    if missing:
        print("Nothing to undo: the history is inconsistent already.")
        return 0
    if not record <= recorded or remove & recorded or not (record | remove) <= graph.nodes.keys():
        print("Refused, nothing was changed: the history is not what the fix with these values leaves.", file=sys.stderr)
        return 1
    write(remove, record)
    print("The history is as it was before the fix.")
    return 0


def write(record, remove):
    recorder = MigrationRecorder(connection)
    with transaction.atomic(using=connection.alias):
        for app, name in sorted(record, key=order.index):
            recorder.record_applied(app, name)
        for app, name in remove:
            recorder.record_unapplied(app, name)


def verify():
    wrong = [f"not recorded: {named(missing)}"] if missing else differences(recorded, recorded)
    print(*wrong or ["The history is consistent and the tables and columns are the ones it says."], sep="\n")
    return 1 if wrong else 0


sys.exit({"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]())
