"""Builds a fresh database beside the one in use, fills it, and swaps the two; the old one is kept. STEP says what to do."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import sys
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

sys.path.insert(0, ".runbook/reset-development-database")
from fingerprints import fingerprints  # noqa: E402

MADE = Path(".runbook/reset-development-database/made.json")
connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
swap = importlib.import_module("swap_" + {"mysql": "mariadb"}.get(connection.vendor, connection.vendor))


def is_fresh():
    """Whether the database holds exactly what the last reset put there."""
    made = json.loads(MADE.read_text()) if MADE.is_file() else {}
    return made.get(swap.display_name()) == fingerprints(connection)


def remember(tables):
    made = json.loads(MADE.read_text()) if MADE.is_file() else {}
    whole = MADE.with_name(MADE.name + ".part")
    whole.write_text(json.dumps({**made, swap.display_name(): tables}))
    os.replace(whole, MADE)


def left_behind():
    """What the fresh database will not have: rows by table, tables of no model, records without a file."""
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"django_migrations"}
    tables = {name.rsplit(".", 1)[-1].strip('"'): rows for name, (rows, _) in sorted(fingerprints(connection).items())}
    for table, rows in tables.items():
        if rows and table != "django_migrations":
            yield f"  {table}: {rows} rows"
    for table in tables.keys() - known:
        yield f"  {table}: a table of no model"
    files = MigrationExecutor(connection).loader.disk_migrations
    for app, name in sorted(set(MigrationRecorder(connection).applied_migrations()) - set(files)):
        yield f"  {app}.{name}: recorded, and no file of it is here"


def diagnose():
    """0: it is as the last reset made it. 1: what a reset would replace. 2: can't look."""
    if is_fresh():
        print(f"{swap.display_name()} is exactly as the last reset made it.")
        return 0
    print(f"A reset would replace {swap.place()}. Its content stays in the kept database and is not in the new one:")
    print(*left_behind() or ["  nothing"], sep="\n")
    print(f"SEED={os.environ.get('SEED', '')}")
    if settings.DEBUG:
        print(f"CONFIRM={os.environ.get('CONFIRM', '')}")
    else:
        print(f"DEBUG is False, as in production. If this is your development database, set CONFIRM to its name: {swap.display_name()}")
    return 1


def objection():
    """Why not to begin; "" if nothing speaks against it."""
    confirm, seed = os.environ.get("CONFIRM", ""), shlex.split(os.environ.get("SEED", ""))
    if confirm != swap.display_name() and (confirm or not settings.DEBUG):
        why = "CONFIRM names another database" if confirm else "DEBUG is False, as in production, and CONFIRM names no database"
        return f"{why}. This one is {swap.display_name()}."
    if seed and seed[0] not in get_commands():
        return f"SEED begins with {seed[0]!r}, which is no command of this project's manage.py."
    return swap.objection()


def fix():
    if is_fresh():
        print("Nothing to do: the database is exactly as the last reset made it.")
        return 0
    if why := objection():
        return refuse(why)
    try:
        remember(build())
    except (CommandError, DatabaseError, RuntimeError) as error:
        return refuse(f"The new database could not be built: {str(error).strip()}")
    if why := swap.objection():
        return refuse(why)
    print(f"Fresh: {swap.place()}. The old one is kept as {swap.exchange(swap.NEW, 'replaced')}.")
    return 0


def build():
    """Migrate and fill the new database with this project's own commands; returns its fingerprints."""
    swap.make_new()
    connection.close()
    live, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], swap.NEW
    try:
        call_command("migrate", database=connection.alias, verbosity=0, interactive=False)
        if seed := shlex.split(os.environ.get("SEED", "")):
            call_command(*seed)
        if os.environ.get("DJANGO_SUPERUSER_PASSWORD"):
            call_command("createsuperuser", database=connection.alias, interactive=False, verbosity=0)
        return fingerprints(connection)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = live


def undo():
    kept = swap.kept_by_last_reset()
    if not kept:
        print("Nothing to undo: the last thing done was no reset.")
        return 0
    if why := swap.objection():
        return refuse(why)
    print(f"Back: {swap.place()} is the one from before the reset. The fresh one is kept as {swap.exchange(kept, 'reset')}.")
    return 0


def verify():
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    lines = [f"not applied: {migration}" for migration, _ in waiting]
    lines += [] if is_fresh() else ["The database is not as a reset makes it."]
    print(*lines or ["Every migration is applied, and the database is exactly as the reset made it."], sep="\n")
    return 1 if lines else 0


def refuse(why):
    print(f"Refused, the database in use was not changed: {why}", file=sys.stderr)
    return 1


try:
    if why := swap.unusable():
        raise RuntimeError(why)
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {str(error).strip()}\nThe database in use was not changed.", file=sys.stderr)
    status = 2
sys.exit(status)
