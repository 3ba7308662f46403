"""Plan a rollback, save the values that it destroys, and after an undo put them back; STEP says which.

APP and MIGRATION name the migration to go back to (`zero`: before the first), ALLOW_OTHER_APPS the apps that may be
rolled back with it. Saved values lie in .runbook/roll-back-migration/saved/, a folder a database and rollback, one file a
migration.
"""

from __future__ import annotations

import os
import sys

from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.exceptions import AmbiguityError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

sys.path.insert(0, ".runbook/roll-back-migration")
from losses import drop, losses_of, missing_parts, present_state, recreate, rows_that_count  # noqa: E402
from saved_values import Saved  # noqa: E402

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
APP, MIGRATION = os.environ.get("APP", ""), os.environ.get("MIGRATION", "")
ALLOWED = set(os.environ.get("ALLOW_OTHER_APPS", "").split())


class Refused(Exception):
    """What is wrong, what was left unchanged, and the next command; shown without a traceback."""


def target(loader) -> tuple[str, str | None]:
    if not APP or not MIGRATION:
        records = MigrationRecorder(connection).migration_qs.order_by("-applied", "-id")[:5]
        print("Applied last:", *(f"{each.app}.{each.name}" for each in records), sep="\n  ")
        raise Refused("Set APP and MIGRATION to the migration to go back to. Nothing was changed.")
    if APP not in loader.migrated_apps:
        raise Refused(f"There is no app {APP!r} with migrations. Nothing was changed. `showmigrations` lists them.")
    if MIGRATION == "zero":
        return APP, None
    try:
        found = loader.get_migration_by_prefix(APP, MIGRATION)
    except (KeyError, AmbiguityError) as error:
        raise Refused(f"{APP} has no single migration {MIGRATION!r}: {error}. Nothing was changed. `showmigrations {APP}` lists them.") from None
    return APP, found.name


def backward_plan() -> tuple[MigrationExecutor, list]:
    """The migrations to unapply, newest first. Raises Refused when the target isn't applied."""
    executor = MigrationExecutor(connection)
    goal = target(executor.loader)
    if goal[1] and goal not in executor.loader.applied_migrations:
        raise Refused(f"{goal[0]}.{goal[1]} is not applied, so there is nothing to go back to. Nothing was changed.")
    return executor, [migration for migration, backwards in executor.migration_plan([goal]) if backwards]


def obstacles(plan) -> list[str]:
    found = [f"{m}: {op.describe()} can't be reversed" for m in plan for op in m.operations if not op.reversible]
    others = sorted({m.app_label for m in plan} - {APP} - ALLOWED)
    if others:
        found.append(f"Other apps would be rolled back too: {' '.join(others)}\n"
                     f"If that is what you want, set ALLOW_OTHER_APPS=\"{' '.join(others)}\".")
    return found


def diagnose() -> int:
    executor, plan = backward_plan()
    print(f"APP={APP}", f"MIGRATION={MIGRATION}", f"ALLOW_OTHER_APPS={' '.join(sorted(ALLOWED))}", sep="\n")
    if not plan:
        print(f"Nothing to roll back: {APP} stands at {MIGRATION}.")
        return 0
    call_command("migrate", APP, MIGRATION, plan=True, database=connection.alias)
    print("Values that this destroys, and that the fix saves first:")
    state = present_state(executor.loader)
    for loss in losses_of(plan, state):
        print(f"  {loss}: {rows_that_count(loss)} {'values' if loss.field else 'rows'}")
    for each in obstacles(plan):
        print(f"In the way: {each}")
    return 1


def save() -> int:
    executor, plan = backward_plan()
    saved = Saved(APP, MIGRATION)
    if not plan:
        print("Nothing to save: there is nothing to roll back.")
        return 0
    if wrong := obstacles(plan):
        raise Refused("\n".join([*wrong, "Nothing was changed."]))
    losses = losses_of(plan, present_state(executor.loader))
    missing = missing_parts(losses)
    if not all(saved.holds(loss.migration) for loss in missing):
        raise Refused(f"Recorded as applied, but not in the database: {', '.join(map(str, missing))}\nNothing was changed. "
                      "Repair that first: the database and its migration history disagree.")
    if not missing:
        saved.begin([str(m) for m in reversed(plan)], executor.loader.applied_migrations)
    # A rollback that was killed has dropped these and not recorded it; it starts anew from the whole schema.
    recreate(missing)
    half_done = {loss.migration for loss in missing}
    for migration in {str(m) for m in plan} - half_done:
        saved.write(migration, [loss for loss in losses if loss.migration == migration])
    print(f"Saved in {saved.folder}: {', '.join(map(str, losses)) or 'no values are destroyed'}")
    return 0


def verify() -> int:
    _, plan = backward_plan()
    for migration in plan:
        print(f"Still applied: {migration}")
    if not plan:
        print(f"{APP} stands at {MIGRATION}.")
    return 1 if plan else 0


def remove_what_a_killed_undo_made(app: str, name: str) -> None:
    """Django changes the schema first and records it afterwards: a kill between leaves columns that stop `migrate`."""
    loader = MigrationExecutor(connection).loader
    if (app, name) not in loader.applied_migrations:
        losses = losses_of([loader.get_migration(app, name)], loader.project_state((app, name)))
        missing = missing_parts(losses)
        drop([loss for loss in losses if loss not in missing])


def undo() -> int:
    saved = Saved(APP, MIGRATION)
    if not saved.exists():
        print("Nothing to undo: no values were saved for this rollback.")
        return 0
    for migration in saved.migrations():
        app, name = migration.split(".", 1)
        remove_what_a_killed_undo_made(app, name)
        call_command("migrate", app, name, database=connection.alias)
    saved.put_back(present_state(MigrationExecutor(connection).loader).apps)
    print("The migrations are applied again and the saved values are back.")
    return 0


try:
    status = {"diagnose": diagnose, "save": save, "verify": verify, "undo": undo}[os.environ["STEP"]]()
except Refused as refusal:
    print(refusal, file=sys.stderr)
    status = 2 if os.environ["STEP"] == "diagnose" else 1
except (DatabaseError, OSError) as error:
    print(f"{type(error).__name__}: {str(error).strip()}", file=sys.stderr)
    status = 2 if os.environ["STEP"] == "diagnose" else 1
sys.exit(status)
