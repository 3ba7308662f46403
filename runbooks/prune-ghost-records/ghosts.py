"""Finds recorded migrations that no file defines, and removes those records that nothing needs. STEP says what to do.

The removed rows are kept in the table runbook_pruned_migrations of the same database, so that undo can put them back.
"""

import os
import re
import shutil
import subprocess
import sys
from functools import cache

from django.apps import apps
from django.apps.registry import Apps
from django.db import connections, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

SQUASH = re.compile(r"(\d+)_squashed_(\d+)")


class Refused(Exception):
    """What is wrong; nothing was changed."""


class Kept(models.Model):
    """A removed row, with the id that it had."""

    app = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    applied = models.DateTimeField()

    class Meta:
        apps = Apps()
        app_label = "migrations"
        db_table = "runbook_pruned_migrations"


def load():
    try:
        connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
        loader, recorder = MigrationLoader(connection), MigrationRecorder(connection)
        return connection, loader, recorder, {(row.app, row.name) for row in recorder.migration_qs} if recorder.has_table() else set()
    except Exception as error:
        print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
        sys.exit(2)


connection, loader, recorder, recorded = load()


# --- what is a ghost --------------------------------------------------------------------------------------------------


def ghosts():
    """Recorded, in no file, in no `replaces`, and not in the range of numbers that a squash names.

    The files of unmigrated apps are not read (MIGRATION_MODULES is None, or the folder is not there), so they stay out.
    """
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    gone = recorded - loader.disk_migrations.keys() - replaced
    return sorted(key for key in gone if key[0] not in loader.unmigrated_apps and not was_squashed(*key))


def was_squashed(app, name):
    number = re.match(r"\d+", name)
    ranges = [SQUASH.match(other) for label, other in loader.disk_migrations if label == app]
    return bool(number) and any(found and int(found[1]) <= int(number[0]) <= int(found[2]) for found in ranges)


# --- what may still need it -------------------------------------------------------------------------------------------


def git(*arguments):
    if not shutil.which("git"):
        return []
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else []


def branches_with(app, name):
    """Branches that hold a file of this name in a folder of migrations of this app: there it comes back."""
    module = loader.migrations_module(app)[0] if app in apps.app_configs else f"{app}.migrations"
    end = f"/{module.replace('.', '/')}/{name}.py"
    refs = git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    return [ref for ref in refs if any(f"/{path}".endswith(end) for path in git("ls-tree", "-r", "--name-only", ref))]


@cache
def expected_tables():
    """{table: {column: field}} and {table: app}, as the recorded files say."""
    keys = sorted(key for key in loader.applied_migrations if key in loader.graph.nodes)
    models = loader.project_state(keys, at_end=True).apps.get_models(include_auto_created=True)
    owned = [model._meta for model in models if not model._meta.proxy and not model._meta.swapped]
    return {m.db_table: {f.column: f for f in m.local_concrete_fields} for m in owned}, {m.db_table: m.app_label for m in owned}


def existing_columns(table):
    with connection.cursor() as cursor:
        return {column.name: column for column in connection.introspection.get_table_description(cursor, table)}


def size(column):
    sizes = [each for each in (column.internal_size, column.display_size) if each and each > 0]
    return sizes[0] if sizes else None


def column_differences(table, fields, columns):
    yield from (f"no column {table}.{name}" for name in fields.keys() - columns.keys())
    yield from (f"column {table}.{name} is in no file" for name in columns.keys() - fields.keys())
    for name in fields.keys() & columns.keys():
        if bool(columns[name].null_ok) != bool(fields[name].null):
            yield f"column {table}.{name} may {'' if columns[name].null_ok else 'not '}be empty, and the files say otherwise"
        if fields[name].get_internal_type() == "CharField" and fields[name].max_length and size(columns[name]) not in (None, fields[name].max_length):
            yield f"column {table}.{name} takes {size(columns[name])} characters, and the files say {fields[name].max_length}"


def leftovers(app):
    """How the database differs from what the app's files say: what a ghost made may be among it."""
    (expected, owner), existing = expected_tables(), connection.introspection.table_names()
    marks = (f"{app}_",) if app in apps.app_configs else (f"{app}_", f"django_{app.rstrip('s')}")
    lines = [f"table {table} is in no file" for table in existing if table.startswith(marks) and table not in expected and table != "django_migrations"]
    for table in (table for table in expected if owner[table] == app):
        lines += column_differences(table, expected[table], existing_columns(table)) if table in existing else [f"no table {table}"]
    return sorted(lines)


def sorted_out():
    """(ghosts that nothing needs, {ghost: why it has to stay})"""
    found, stay = ghosts(), {}
    schema = {app: leftovers(app) for app in {app for app, _ in found}}
    for key in found:
        branches = branches_with(*key)
        if branches:
            stay[key] = [f"its file is on {', '.join(branches)}: where that is deployed, it would run again"]
        elif schema[key[0]]:
            stay[key] = schema[key[0]]
    return [key for key in found if key not in stay], stay


# --- the steps --------------------------------------------------------------------------------------------------------


def named(keys):
    return " ".join(f"{app}.{name}" for app, name in keys)


def asked():
    return [tuple(label.split(".", 1)) for label in os.environ.get("GHOSTS", "").split()]


def diagnose():
    """0: no ghost. 1: these can go. 2: what they made may still be there."""
    free, stay = sorted_out()
    if not free and not stay:
        print("Every recorded migration has its file.")
        return 0
    for app, name in free:
        where = "the tables and columns are what the files say" if app in apps.app_configs else "the app is not installed and has no tables"
        print(f"{app}.{name} is recorded and has no file; {where}.")
    for key, reasons in stay.items():
        print(f"{named([key])} is recorded and has no file, and its record has to stay:", *reasons, sep="\n  ")
    if not free:
        print("Can't tell what to remove: bring the files back, or take away by hand what they made. Nothing was changed.")
        return 2
    print(f"GHOSTS={named(free)}")
    return 1


def has_table():
    return Kept._meta.db_table in connection.introspection.table_names()


def kept_rows():
    return list(Kept.objects.using(connection.alias)) if has_table() else []


def copied(row, model):
    return model(pk=row.pk, app=row.app, name=row.name, applied=row.applied)


def fix():
    wanted = asked()
    if not [key for key in wanted if key in recorded] and {(row.app, row.name) for row in kept_rows()} >= set(wanted):
        print("Nothing to do: these records were removed already." if wanted else "Nothing to do: GHOSTS names nothing.")
        return 0
    free, stay = sorted_out()
    for key in wanted:
        if key in loader.disk_migrations:
            raise Refused(f"{named([key])} has a file, so its record stays.")
        if key in stay:
            raise Refused("\n  ".join([f"the record of {named([key])} has to stay:", *stay[key]]))
        if key in recorded and key not in free:
            raise Refused(f"{named([key])} was squashed, so its record is no ghost.")
        if key not in recorded:
            raise Refused(f"{'.'.join(key)} is not recorded in this database. Run diagnose again.")
    rows = [row for row in recorder.migration_qs if (row.app, row.name) in wanted]
    if not has_table():
        with connection.schema_editor() as editor:
            editor.create_model(Kept)
    with transaction.atomic(using=connection.alias):
        Kept.objects.using(connection.alias).bulk_create([copied(row, Kept) for row in rows])
        recorder.migration_qs.filter(pk__in=[row.pk for row in rows]).delete()
    print(f"Rows of django_migrations that are now in the table {Kept._meta.db_table}: {len(rows)}")
    return 0


def verify():
    free, stay = sorted_out()
    left = [key for key in [*free, *stay] if key in asked() or key in free]
    print(f"Recorded and without a file: {named(left)}" if left else "No record is left that nothing needs.")
    return 1 if left else 0


def undo():
    if not has_table():
        print("Nothing to undo.")
        return 0
    rows = kept_rows()
    missing = [copied(row, recorder.Migration) for row in rows if (row.app, row.name) not in recorded]
    recorder.migration_qs.bulk_create(missing)
    with connection.schema_editor() as editor:
        editor.delete_model(Kept)
    print(f"Rows of django_migrations that are back as they were: {len(rows)}")
    return 0


try:
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Refused as refused:
    print(f"Refused, nothing was changed: {refused}", file=sys.stderr)
    status = 1
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2
sys.exit(status)
