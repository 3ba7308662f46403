"""Squashes a range of an app's migrations into one file that works. STEP says what to do.

APP is the app's label, FROM and TO are the names of the first and the last migration of the range. STEP=finish, for the
next release, deletes the replaced files; STEP=reopen takes that back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from django.apps import apps
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

sys.path.insert(0, ".runbook/squash-app-migrations")
from squashed_file import Refused, repoint, squashed_text, without_replaces  # noqa: E402

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
APP, FROM, TO = (os.environ.get(name, "") for name in ("APP", "FROM", "TO"))
KEPT = Path(".runbook/squash-app-migrations/kept") / APP
PLAN = KEPT / "finished.json"


def file_of(key):
    return Path(sys.modules[loader.disk_migrations[key].__module__].__file__).resolve()


def is_own(path):
    installed = [Path(sysconfig.get_paths()[name]).resolve() for name in ("purelib", "platlib", "stdlib")]
    foreign = any(path.is_relative_to(folder) for folder in installed) or "site-packages" in path.parts
    return path.is_relative_to(Path.cwd().resolve()) and not foreign


def range_of(graph):
    """The migrations from FROM to TO, in order, as squashmigrations takes them. Raises Refused."""
    try:
        apps.get_app_config(APP)
    except LookupError:
        raise Refused([f"There is no app {APP!r} in INSTALLED_APPS. Set APP to the label of one of your apps."]) from None
    for name in (FROM, TO):
        if (APP, name) not in graph.nodes:
            raise Refused([f"{APP} has no migration {name!r}: set FROM and TO to names that `showmigrations {APP}` lists."])
        if not is_own(file_of((APP, name))):
            raise Refused([f"{APP} is not an app of this project: its migrations are in {file_of((APP, name)).parent}."])
    keys = [key for key in graph.forwards_plan((APP, TO)) if key[0] == APP]
    if (APP, FROM) not in keys:
        raise Refused([f"{FROM} does not come before {TO}. `showmigrations {APP}` lists them in order."])
    return keys[keys.index((APP, FROM)):]


def way_back(graph, keys):
    """A migration outside the range that needs one inside, while another inside needs it: the squash would be a ring."""
    after = {child for key in keys for child in graph.backwards_plan(key)}
    before = {parent for key in keys for parent in graph.forwards_plan(key)}
    return min((after & before) - set(keys), default=None)


def longest_without_a_ring(graph, keys):
    ends = [number for number in range(2, len(keys)) if not way_back(graph, keys[:number])]
    return keys[max(ends) - 1] if ends else None


def obstacles(graph, keys):
    if len(keys) < 2:
        yield "One migration is nothing to squash: set FROM and TO to the first and the last of a range."
    if between := way_back(graph, keys):
        shorter = longest_without_a_ring(graph, keys)
        hint = f'set TO="{shorter[1]}"' if shorter else "set FROM to a later migration"
        yield f"{'.'.join(between)} stands between: it needs a migration of the range, and one of the range needs it. Then {hint}."
    own = {parent.key for key in keys[1:] for parent in graph.node_map[key].parents if parent.key[0] == APP} - set(keys)
    own -= {parent.key for parent in graph.node_map[keys[0]].parents}
    if own:
        yield f"The range begins inside a branch: {' '.join(name for _, name in sorted(own))} would be left out. Begin earlier."
    for key in keys:
        migration = graph.nodes[key]
        if migration.replaces:
            yield f"{key[1]} is itself a squash. Finish that one first: STEP=finish, with its own FROM and TO."
        if not migration.atomic:
            yield f"{key[1]} is atomic = False, which a squash would lose. End the range before it."
        if migration.run_before:
            yield f"{key[1]} has run_before, which a squash would lose. Turn it into a dependency first."
    yield from uncommitted()


def uncommitted():
    folder = str(file_of((APP, TO)).parent)
    try:
        done = subprocess.run(["git", "status", "--porcelain", "--", folder], capture_output=True, text=True)
    except OSError:
        return  # no git here
    if done.returncode == 0 and done.stdout.strip():
        yield f"Files in {shown(Path(folder))} are not committed. Commit them first."


def shown(path):
    return path.relative_to(Path.cwd().resolve())


def squash_there():
    """The squash of exactly this range, if there is one; its range is read from `replaces`."""
    for key, migration in loader.disk_migrations.items():
        replaced = [tuple(each) for each in migration.replaces]
        if key[0] == APP and replaced and {(APP, FROM), (APP, TO)} <= set(replaced) and (replaced[0], replaced[-1]) == ((APP, FROM), (APP, TO)):
            return key
    return None


def draft():
    """(path, text) of the squash. Raises Refused."""
    whole = MigrationLoader(None, replace_migrations=True)
    keys = range_of(whole.graph)
    if lines := [*obstacles(whole.graph, keys)]:
        raise Refused(lines)
    name, text = squashed_text(APP, keys, file_of((APP, TO)).parent, is_first=not keys_before(whole.graph, keys))
    return file_of((APP, TO)).with_name(f"{name}.py"), text, keys


def keys_before(graph, keys):
    return [parent for parent in graph.node_map[keys[0]].parents if parent.key[0] == APP]


def diagnose():
    """0: squashed already. 1: what a squash would do. 2: refused, with the reasons."""
    if squash := squash_there():
        print(f"Nothing to squash: {APP}.{squash[1]} replaces this range.")
        return 0
    if PLAN.is_file():
        print("Nothing to squash: the squash of this app was finished.")
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
    if squash := squash_there():
        print(f"Nothing to do: {APP}.{squash[1]} replaces this range.")
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
    file_of(squash).unlink()
    print(f"Took {squash[1]} away; the files that it replaced are in use again.")
    return 0


def verify():
    squash = squash_there()
    if not squash:
        print("There is no squash of this range.")
        return 1
    graph = MigrationLoader(connection).graph  # raises for a ring or a gap
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
    lines = [*uncommitted()]
    for alias in databases():
        missing = [name for name in [*(name for _, name in replaced), squash[1]] if name not in recorded(alias)]
        lines += [f"Not recorded on database {alias!r}: {' '.join(missing)}. Run `migrate` there first."] if missing else []
    after = {file_of(squash): without_replaces(file_of(squash).read_text())}
    for key, migration in sorted(loader.disk_migrations.items()):
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
    print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2
sys.exit(status)
