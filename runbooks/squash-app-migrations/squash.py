"""Squashes a range of an app's migrations into one file that works. STEP says what to do.

APP is the app's label, FROM and TO are the names of the first and the last migration of the range. STEP=finish, for the
next release, deletes the replaced files; STEP=reopen takes that back.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

sys.path.insert(0, ".runbook/squash-app-migrations")
from squash_range import APP, FROM, TO, is_own, keys_before, obstacles, path_of, range_of, shown, uncommitted  # noqa: E402
from squashed_file import Refused, repoint, squashed_text, without_replaces  # noqa: E402

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
KEPT = Path(".runbook/squash-app-migrations/kept")
PLAN = KEPT / f"{APP}.{FROM}..{TO}.json"


def file_of(key):
    return path_of(loader.disk_migrations[key])


def squash_there():
    """The squash of exactly this range, if there is one; its range is read from `replaces`."""
    for key, migration in loader.disk_migrations.items():
        replaced = [tuple(each) for each in migration.replaces]
        if key[0] == APP and replaced and {(APP, FROM), (APP, TO)} <= set(replaced) and (replaced[0], replaced[-1]) == ((APP, FROM), (APP, TO)):
            return key
    return None


def draft():
    """(path and text of the squash, migrations of the range). Raises Refused."""
    graph = MigrationLoader(None).graph
    keys = range_of(graph)
    if lines := [*obstacles(graph, keys)]:
        raise Refused(lines)
    folder = file_of((APP, TO)).parent
    name, text = squashed_text(APP, keys, folder, is_first=not keys_before(graph, keys))
    return folder / f"{name}.py", text, keys


def diagnose():
    """0: squashed already. 1: what a squash would do. 2: refused, with the reasons."""
    if squash := squash_there():
        print(f"Nothing to squash: {APP}.{squash[1]} replaces this range.")
        return 0
    if PLAN.is_file():
        print("Nothing to squash: the squash of this range was finished.")
        return 0
    path, text, keys = draft()
    print(f"{len(keys)} migrations become {shown(path)}, and stay until the next release:", *(f"  {name}" for _, name in keys), sep="\n")
    print(f"APP={APP}\nFROM={FROM}\nTO={TO}")
    return 1


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".part")
    whole.write_text(text)
    os.replace(whole, path)


def fix():
    if squash_there() or PLAN.is_file():
        print("Nothing to do: this range is squashed.")
        return 0
    path, text, keys = draft()
    replace(path, text)
    print(f"Wrote {shown(path)}, which replaces {len(keys)} migrations. Leave their files where they are in this release.")
    return 0


def recorded(alias):
    return {name for app, name in MigrationRecorder(connections[alias]).applied_migrations() if app == APP}


def databases():
    writable = [alias for alias in connections if not connections[alias].settings_dict["TEST"]["MIRROR"]]
    return [alias for alias in writable if alias == connection.alias or recorded(alias)]


def write_rows(alias, remove=(), add=()):
    recorder = MigrationRecorder(connections[alias])
    with transaction.atomic(using=alias):
        there = recorded(alias)
        for name in sorted(there.intersection(remove)):
            recorder.record_unapplied(APP, name)
        for name in add:
            if name not in there:
                recorder.record_applied(APP, name)


def undo():
    if PLAN.is_file():
        raise Refused(["The replaced files were deleted. Run STEP=reopen first."])
    squash = squash_there()
    if not squash:
        print("Nothing to undo: no squash replaces this range.")
        return 0
    if gone := [name for app, name in loader.disk_migrations[squash].replaces if (app, name) not in loader.disk_migrations]:
        raise Refused([f"Files that it replaces are gone: {' '.join(gone)}. Bring them back from your version control first."])
    if users := [key for key, m in loader.disk_migrations.items() if squash in map(tuple, m.dependencies)]:
        raise Refused([f"{'.'.join(key)} depends on {squash[1]}: let it depend on {TO} first." for key in sorted(users)])
    for alias in databases():
        write_rows(alias, remove=[squash[1]])
    KEPT.mkdir(parents=True, exist_ok=True)
    os.replace(file_of(squash), KEPT / file_of(squash).name)
    print(f"Took {squash[1]} away, into {KEPT}; the files that it replaced are in use again.")
    return 0


def verify():
    squash = squash_there()
    graph = MigrationLoader(connection).graph  # raises for a ring or a gap
    if not squash:
        print("The squash of this range was finished." if PLAN.is_file() else "There is no squash of this range.")
        return 0 if PLAN.is_file() else 1
    used = "in use" if squash in graph.nodes else "waiting, since only some of the replaced migrations are applied here"
    print(f"{APP}.{squash[1]} can be read, fits the other migrations and is {used}.")
    return 0


def finish():
    """For the next release: the replaced files go, `replaces` goes, and what depended on them depends on the squash."""
    if not PLAN.is_file() and not (squash := squash_there()):
        print("Nothing to finish: no squash replaces this range.")
        return 0
    if not PLAN.is_file():
        replace(PLAN, json.dumps(finishing(squash), indent=1))
    plan = json.loads(PLAN.read_text())
    for path, text in plan["after"].items():
        replace(Path(path), text)
    for path in plan["replaced"]:
        Path(path).unlink(missing_ok=True)
    print(f"Deleted {len(plan['replaced'])} files, whose texts {PLAN} keeps, and changed:", *(f"  {shown(Path(p))}" for p in plan["after"]), sep="\n")
    print(f"When no older release will ever run again: uv run manage.py migrate {APP} --prune")
    return 0


def finishing(squash):
    """What finish will do: texts before and after, and rows. Raises Refused unless every database has seen release 1."""
    replaced = [tuple(each) for each in loader.disk_migrations[squash].replaces]
    lines = [*uncommitted(file_of(squash).parent)]
    for alias in databases():
        missing = [name for name in [*(name for _, name in replaced), squash[1]] if name not in recorded(alias)]
        lines += [f"Not recorded on database {alias!r}: {' '.join(missing)}. Run `migrate` there first."] if missing else []
    after = {file_of(squash): without_replaces(file_of(squash).read_text())}
    for key, migration in sorted(loader.disk_migrations.items()):
        if set(replaced) & set(map(tuple, migration.run_before)):
            lines.append(f"{'.'.join(key)} names a replaced migration in run_before: turn it into a dependency first.")
        if key in replaced or key == squash or not set(replaced) & set(map(tuple, migration.dependencies)):
            continue
        text = repoint(file_of(key).read_text(), replaced, squash)
        lines += [] if text and is_own(file_of(key)) else [f"{'.'.join(key)} depends on a replaced migration and can't be changed here."]
        after[file_of(key)] = text
    if lines:
        raise Refused(lines)
    gone = [file_of(key) for key in replaced if key in loader.disk_migrations]
    return {
        "before": {str(path): path.read_text() for path in [*after, *gone]},
        "after": {str(path): text for path, text in after.items()},
        "replaced": [str(path) for path in gone],
        "rows": {alias: [name for _, name in replaced] for alias in databases()},
    }


def reopen():
    """Takes finish back, also after `migrate --prune`."""
    if not PLAN.is_file():
        print("Nothing to take back: finish was not run here.")
        return 0
    plan = json.loads(PLAN.read_text())
    changed = [path for path, text in plan["after"].items() if Path(path).read_text() not in (text, plan["before"][path])]
    if changed:
        raise Refused([f"{shown(Path(path))} was changed since. Take that change back first." for path in changed])
    for path in [*plan["replaced"], *plan["after"]]:
        replace(Path(path), plan["before"][path])
    for alias, names in plan["rows"].items():
        write_rows(alias, add=names)
    PLAN.unlink()
    print("The replaced files, their rows and `replaces` are back.")
    return 0


STEPS = {"diagnose": diagnose, "fix": fix, "verify": verify, "undo": undo, "finish": finish, "reopen": reopen}
try:
    loader = MigrationLoader(connection, load=False)
    loader.load_disk()
    status = STEPS[os.environ["STEP"]]()
except Refused as refused:
    print("Refused, nothing was changed:", *(f"  {line}" for line in refused.lines), sep="\n", file=sys.stderr)
    status = 2 if os.environ["STEP"] == "diagnose" else 1
except Exception as error:
    hint = "Run the same step again when the reason is gone." if PLAN.is_file() else "Nothing was changed."
    print(f"Can't tell: {type(error).__name__}: {error}\n{hint}", file=sys.stderr)
    status = 2
sys.exit(status)
