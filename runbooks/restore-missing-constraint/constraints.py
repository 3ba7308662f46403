"""Finds indexes and constraints that recorded migrations made and the database lacks. STEP says what to do about them."""

import json
import os
import sys
from collections import namedtuple
from functools import partial
from pathlib import Path

from django.db import IntegrityError, connections, router
from django.db.migrations.loader import MigrationLoader

OK, MISSING, UNKNOWN = 0, 1, 2
RESTORED = Path(".runbook/restore-missing-constraint/restored.json")
Expected = namedtuple("Expected", "name is_there statement make drop")

# --- what the recorded migrations made ---------------------------------------------------------------------------------


def models_of_recorded_migrations():
    loader = MigrationLoader(connection)
    recorded = [key for key in loader.applied_migrations if key in loader.graph.nodes]
    models = loader.project_state(recorded).apps.get_models(include_auto_created=True)
    own = [model for model in models if model._meta.managed and not model._meta.proxy]
    return [model for model in own if router.allow_migrate_model(connection.alias, model)]


def has_any(model):
    return model._meta.indexes or model._meta.constraints or model._meta.unique_together


def expected_of(model, there):
    """Everything in the model's Meta that Django finds by name, or by its columns, when a migration removes it."""
    plan, table = connection.schema_editor(collect_sql=True), model._meta.db_table
    for index in model._meta.indexes:
        if connection.features.supports_expression_indexes or not index.contains_expressions:
            steps = (partial(call, "add_index", model, index), partial(call, "remove_index", model, index))
            yield Expected(f"{table}.{index.name}", index.name in there, str(index.create_sql(model, plan)), *steps)
    for constraint in model._meta.constraints:
        if sql := constraint.create_sql(model, plan):
            steps = (partial(call, "add_constraint", model, constraint), partial(call, "remove_constraint", model, constraint))
            yield Expected(f"{table}.{constraint.name}", constraint.name in there, str(sql), *steps)
    named = {each.name for each in (*model._meta.indexes, *model._meta.constraints)}
    for fields in model._meta.unique_together:
        columns = [model._meta.get_field(name).column for name in fields]
        found = any(each["unique"] and each["columns"] == columns for name, each in there.items() if name not in named)
        name = str(plan._unique_constraint_name(table, columns, quote=False))
        steps = (partial(call, "alter_unique_together", model, old, new) for old, new in ((set(), {fields}), ({fields}, set())))
        yield Expected(f"{table}.{name}", found, str(plan._create_unique_sql(model, [model._meta.get_field(name) for name in fields])), *steps)


def call(method, *arguments):
    with connection.schema_editor() as editor:
        if connection.vendor == "postgresql":
            editor.execute("SET LOCAL lock_timeout = '5s'")
        getattr(editor, method)(*arguments)


def all_expected():
    look = connection.introspection
    with connection.cursor() as cursor:
        tables = set(look.table_names(cursor))
        models = [model for model in models_of_recorded_migrations() if model._meta.db_table in tables and has_any(model)]
        there = {model: look.get_constraints(cursor, model._meta.db_table) for model in models}
    return [expected for model in models for expected in expected_of(model, there[model])]


def is_part_of_the_table(expected):
    """SQLite can't add a constraint to a table: it would have to be copied, without the columns that no migration knows."""
    return connection.vendor == "sqlite" and expected.statement.startswith("ALTER TABLE")


# --- steps -------------------------------------------------------------------------------------------------------------


def diagnose():
    """0: all are there. 1: these are missing, and can be made again. 2: those that are missing can't."""
    for each in missing:
        print(f"{each.name} is missing")
        print("  It is part of the table on SQLite: the next migration that rebuilds the table brings it back" if is_part_of_the_table(each) else f"  {each.statement}")
    if names := [each.name for each in missing if not is_part_of_the_table(each)]:
        print(f"MISSING={' '.join(names)}")
        return MISSING
    if not missing:
        print("Every index and constraint of the recorded migrations is there.")
    return UNKNOWN if missing else OK


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def fix():
    names, known = os.environ.get("MISSING", "").split(), {each.name: each for each in expected}
    if not names or set(names) - known.keys():
        return refuse(f"no recorded migration made {' '.join(sorted(set(names) - known.keys())) or '(none given)'}. Run diagnose again.")
    chosen = [known[name] for name in dict.fromkeys(names) if not known[name].is_there]
    if part := [each.name for each in chosen if is_part_of_the_table(each)]:
        return refuse(f"SQLite would have to rebuild the table for {' '.join(part)}.")
    if not chosen:
        print("Nothing to do: all of these are there.")
    for each in chosen:
        remember({*restored(), each.name})
        try:
            each.make()
        except IntegrityError as error:
            print(f"Stopped: the rows do not allow {each.name}: {error}\nNo row was touched. Repair the rows, and run it again.", file=sys.stderr)
            return 1
        print(f"Made {each.name}")
    return OK


def restored():
    """The names that a fix made or was about to make."""
    return set(json.loads(RESTORED.read_text())) if RESTORED.exists() else set()


def remember(names):
    """Write the names before the change, whole or not at all."""
    new = RESTORED.with_suffix(".new")
    new.write_text(json.dumps(sorted(names)))
    new.replace(RESTORED)


def undo():
    names = restored()
    for each in expected:
        if each.name in names and each.is_there:
            each.drop()
            print(f"Dropped {each.name}")
    RESTORED.unlink(missing_ok=True)
    print("Nothing that this runbook made is left.")
    return OK


def verify():
    names = os.environ.get("MISSING", "").split()
    left = [each.name for each in missing if not names or each.name in names]
    print(*[f"{name} is missing" for name in left] or ["Every index and constraint of the recorded migrations is there."], sep="\n")
    return MISSING if left else OK


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    if connection.vendor == "mysql":
        connection.cursor().execute("SET SESSION lock_wait_timeout = 5")
    expected = all_expected()
    missing = [each for each in expected if not each.is_there]
    status = {"diagnose": diagnose, "fix": fix, "verify": verify, "undo": undo}[os.environ["STEP"]]()
except Exception as error:
    print(f"Stopped, and can't tell: {error}\nNo row was touched. Run diagnose again.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
