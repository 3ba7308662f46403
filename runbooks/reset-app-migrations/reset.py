"""Replaces the migrations of one app by a fresh initial one, in the files and in the history. STEP says what to do.

APP is the app's label. CARRY_OVER and LEAVE_OUT name, separated by spaces, its migrations that change rows: what a new
database still needs, and what it does not. STEP=record needs REPLACED, which the fix prints for your other databases.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

sys.path.insert(0, ".runbook/reset-app-migrations")
from new_files import Refused, carried_over, data_migrations, initial_files, own_files  # noqa: E402
from obstacles import (  # noqa: E402
    APP,
    CARRY_OVER,
    LEAVE_OUT,
    connection,
    databases,
    lost_parts,
    model_changes,
    recorded,
    ties,
    unapplied,
    undecided,
)

REPLACED = set(os.environ.get("REPLACED", "").split())
KEPT = Path(".runbook/reset-app-migrations/kept")
PLAN, DONE = KEPT / APP / "plan.json", KEPT / APP / "done.json"


def examine():
    """(the loader, {name: path} of old files, {name: text} of the new initial ones); the last is None if nothing is gained."""
    loader = MigrationLoader(connection)
    files = own_files(loader, APP)
    if len(files) == 1:
        return loader, files, None
    if lines := [*unapplied(), *model_changes(), *ties(loader), *lost_parts(loader)]:
        raise Refused(lines)
    taken = set(files).union(*(recorded(alias) for alias in databases()))
    initial = initial_files(connection, APP, taken)
    kept = set(data_migrations(loader, APP)) - LEAVE_OUT
    return loader, files, initial if len(files) > len(initial) + len(kept) else None


def planned():
    """What the fix will do, as JSON: old files, new texts, and rows by database; None if there is nothing to do."""
    loader, files, initial = examine()
    if not initial:
        return None
    if lines := [*undecided(loader, files)]:
        raise Refused(lines)
    order = [name for app, name in loader.graph.forwards_plan(loader.graph.leaf_nodes(APP)[0]) if app == APP]
    texts = {name: files[name].read_text() for name in order if name in CARRY_OVER}
    new = carried_over(connection, APP, initial, texts)
    folder = in_project(next(iter(files.values()))).parent
    return {
        "old": {str(in_project(path)): name for name, path in sorted(files.items())},
        "new": {str(folder / f"{name}.py"): text for name, text in new.items()},
        "rows": {alias: sorted(recorded(alias)) for alias in databases()},
    }


def names(plan, key):
    return [Path(path).stem for path in plan[key]]


def in_project(path):
    return path.relative_to(Path.cwd().resolve())


def diagnose():
    """0: nothing to reset. 1: what a reset would do. 2: refused, with the reasons."""
    if PLAN.is_file():
        print("A reset of this app was interrupted. Run the fix again to finish it, or undo to go back.")
    elif plan := planned():
        print(f"{APP}: {len(plan['old'])} migration files become {len(plan['new'])}: {' '.join(names(plan, 'new'))}")
        print(f"Rows of django_migrations: {', '.join(f'{len(rows)} on {alias}' for alias, rows in plan['rows'].items())}")
    else:
        print(f"Nothing to reset: {APP} has as few migrations as it can have.")
        return 0
    print(f"APP={APP}\nCARRY_OVER={' '.join(sorted(CARRY_OVER))}\nLEAVE_OUT={' '.join(sorted(LEAVE_OUT))}")
    return 1


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".part")
    whole.write_text(text)
    os.replace(whole, path)


def begin():
    """Writes down all that will be done, so that a fix that was killed can be finished or taken back."""
    plan = planned()
    if plan and DONE.is_file():
        number = 1
        while (older := KEPT / f"{APP}-{number}").exists():
            number += 1
        DONE.parent.rename(older)
    if plan:
        (PLAN.parent / "files").mkdir(parents=True, exist_ok=True)
        replace(PLAN, json.dumps(plan, indent=1))
    return plan


def fix():
    plan = json.loads(PLAN.read_text()) if PLAN.is_file() else begin()
    if not plan:
        print(f"Nothing to do: {APP} has as few migrations as it can have.")
        return 0
    for path in plan["old"]:
        if Path(path).exists():
            os.replace(path, PLAN.parent / "files" / Path(path).name)
    for path, text in plan["new"].items():
        replace(Path(path), text)
        print(f"Wrote {path}")
    for alias, rows in plan["rows"].items():
        swap_rows(alias, rows, names(plan, "new"))
    os.replace(PLAN, DONE)
    print(f"The {len(plan['old'])} old files are in {PLAN.parent / 'files'}; {', '.join(plan['rows'])}: history replaced.")
    print("On every other database that has run all of the old ones, before anybody runs `migrate` there with the new files:")
    print(f"export APP={APP} REPLACED=\"{' '.join(plan['old'].values())}\"")
    print("STEP=record uv run manage.py shell -v 0 < .runbook/reset-app-migrations/reset.py")
    return 0


def swap_rows(alias, remove, add):
    recorder = MigrationRecorder(connections[alias])
    with transaction.atomic(using=alias):
        there = recorded(alias)
        for name in sorted(there.intersection(remove)):
            recorder.record_unapplied(APP, name)
        for name in add:
            if name not in there:
                recorder.record_applied(APP, name)


def record():
    """For another database, with the new files: its old rows become the new ones, if it had run all of the old ones."""
    new = set(own_files(MigrationLoader(None), APP))
    if not REPLACED or REPLACED & new:
        raise Refused(["Set REPLACED to what the fix printed, and use the files that it wrote."])
    for alias in databases():
        there = recorded(alias)
        if missing := sorted(REPLACED - there if not new <= there else []):
            raise Refused([f"Database {alias!r} has not run {' '.join(missing)}. Run `migrate` there with the old files first."])
    for alias in databases():
        swap_rows(alias, recorded(alias) - new, sorted(new))
        print(f"{alias}: {' '.join(sorted(new))} recorded in place of the old migrations of {APP}.")
    return 0


def undo():
    if DONE.is_file():
        later = set(own_files(MigrationLoader(None), APP)) - {Path(path).stem for path in json.loads(DONE.read_text())["new"]}
        if later:
            raise Refused([f"{APP} has newer migrations: {' '.join(sorted(later))}. Roll them back and remove them first."])
        os.replace(DONE, PLAN)
    if not PLAN.is_file():
        print(f"Nothing to undo: no reset of {APP} is kept under .runbook.")
        return 0
    plan = json.loads(PLAN.read_text())
    for path in plan["new"]:
        if Path(path).exists():
            os.replace(path, PLAN.parent / "files" / Path(path).name)
    for path in plan["old"]:
        if (kept := PLAN.parent / "files" / Path(path).name).exists():
            os.replace(kept, path)
    for alias, rows in plan["rows"].items():
        swap_rows(alias, names(plan, "new"), rows)
    PLAN.unlink()
    print(f"The migration files of {APP} and their rows are as they were before the fix.")
    return 0


def verify():
    if PLAN.is_file():
        print("The reset was interrupted. Run the fix again.")
        return 1
    _, files, initial = examine()
    lines = [*unapplied(), *model_changes()] + ([f"{APP} can be reset: it has {len(files)} migrations."] if initial else [])
    for alias in databases():
        lines += [f"{APP}.{name} is recorded on {alias}, and has no file." for name in sorted(recorded(alias) - set(files))]
    print(*lines or [f"{APP}: {' '.join(sorted(files))}, recorded as such on {', '.join(databases())}; no model has changed."], sep="\n")
    return 1 if lines else 0


try:
    status = {"diagnose": diagnose, "fix": fix, "record": record, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Refused as refused:
    print("Refused, nothing was changed:", *(f"  {line}" for line in refused.lines), sep="\n", file=sys.stderr)
    status = 2 if os.environ["STEP"] == "diagnose" else 1
except Exception as error:
    hint = "Run the fix again to finish, or undo to go back, when the reason is gone." if PLAN.is_file() else "Nothing was changed."
    print(f"Can't tell: {type(error).__name__}: {error}\n{hint}", file=sys.stderr)
    status = 2
sys.exit(status)
