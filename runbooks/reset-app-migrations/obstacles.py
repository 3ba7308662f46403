"""What speaks against a reset: each obstacle is a line that says what to do about it."""

from __future__ import annotations

import os
import subprocess

from django.core.management import call_command
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from new_files import data_migrations, only_data

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
APP = os.environ.get("APP", "")
CARRY_OVER, LEAVE_OUT = (set(os.environ.get(name, "").split()) for name in ("CARRY_OVER", "LEAVE_OUT"))


def recorded(alias):
    return {name for app, name in MigrationRecorder(connections[alias]).applied_migrations() if app == APP}


def databases():
    """Aliases of the databases that have run migrations of the app; replicas follow by themselves."""
    writable = [alias for alias in connections if not connections[alias].settings_dict["TEST"]["MIRROR"]]
    return [alias for alias in writable if alias == connection.alias or recorded(alias)]


def unapplied():
    for alias in databases():
        executor = MigrationExecutor(connections[alias])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        yield from (f"{migration} is not applied on database {alias!r}. Run `migrate` there first." for migration, _ in plan)


def model_changes():
    try:
        call_command("makemigrations", APP, check_changes=True, dry_run=True, interactive=False, verbosity=0)
    except SystemExit:
        yield f"Models of {APP} have changes without a migration. Run `makemigrations {APP}` and `migrate` first."


def lost_parts(loader):
    """What recorded migrations of the app made and the database does not have: a reset would hide it for ever."""
    own = [m for m in loader.project_state().apps.get_models(include_auto_created=True) if m._meta.app_label == APP]
    for alias in databases():
        with connections[alias].cursor() as cursor:
            tables = connections[alias].introspection.table_names(cursor)
            for model in own:
                table = model._meta.db_table
                if not model._meta.can_migrate(connections[alias]) or not router.allow_migrate_model(alias, model):
                    continue
                there = {c.name for c in connections[alias].introspection.get_table_description(cursor, table)} if table in tables else set()
                for column in sorted({f.column for f in model._meta.local_concrete_fields} - there):
                    yield f"{table}.{column} is not in database {alias!r}, though a recorded migration makes it."


def ties(loader):
    """Migrations outside the app that need its old names, and the other way round."""
    for key, migration in sorted(loader.disk_migrations.items()):
        for parent in migration.dependencies if key[0] != APP else []:
            if parent[0] == APP and not parent[1].startswith("__"):
                yield f"{'.'.join(key)} depends on {APP}.{parent[1]}. Squash instead: see the runbook squash-app-migrations."
        if migration.run_before and APP in {key[0], *(child[0] for child in migration.run_before)}:
            yield f"{'.'.join(key)} has run_before, which a new file would not have. Turn it into a dependency first."


def undecided(loader, files):
    data = data_migrations(loader, APP)
    for name in sorted((CARRY_OVER | LEAVE_OUT) - set(data)):
        yield f"{APP} has no data migration {name!r}: correct CARRY_OVER or LEAVE_OUT."
    for name in data:
        if (name in CARRY_OVER) == (name in LEAVE_OUT):
            yield f"{APP}.{name} runs code or SQL of yours. Read it, then name it in CARRY_OVER or in LEAVE_OUT."
        elif name in CARRY_OVER and not only_data(loader.disk_migrations[APP, name]):
            yield f"{APP}.{name} also changes the schema, so it can't be carried over as it is."
    folders = sorted({str(path.parent) for path in files.values()})
    try:
        done = subprocess.run(["git", "status", "--porcelain", "--", *folders], capture_output=True, text=True)
    except OSError:
        return  # no git here; the files are kept under .runbook
    if done.returncode == 0 and done.stdout.strip():
        yield f"Migration files are not committed: {' '.join(line[3:] for line in done.stdout.splitlines())}. Commit them first."
