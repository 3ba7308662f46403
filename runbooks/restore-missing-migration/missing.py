"""Finds a migration that others depend on and whose file is not there, and brings it back. STEP says what to do."""

import ast
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from django.apps import apps
from django.db import connections
from django.db.migrations.exceptions import NodeNotFoundError
from django.db.migrations.graph import DummyNode
from django.db.migrations.loader import MigrationLoader

KEPT = Path(".runbook/restore-missing-migration/kept.json")
MOST = 50


class CannotTell(Exception):
    """Only a person can tell what to do; the message says what is known and the next command."""


# --- what is missing --------------------------------------------------------------------------------------------------


def load():
    """(loader, {missing migration: those that depend on it}); the graph is there even when it has holes."""
    importlib.invalidate_caches()
    for name in [each for each in sys.modules if ".migrations" in each and not each.startswith("django.db.")]:
        del sys.modules[name]  # read the files again: they may have changed
    loader = MigrationLoader(connections[os.environ.get("RUNBOOK_DATABASE", "default")], load=False)
    try:
        loader.build_graph()
    except NodeNotFoundError:
        pass
    holes = [node for node in loader.graph.node_map.values() if isinstance(node, DummyNode)]
    return loader, {node.key: sorted(child.key for child in node.children) for node in sorted(holes, key=lambda node: node.key)}


def folder_of(app):
    """The folder of the app's migrations, whether it exists or not; None if the app is not installed."""
    if app not in apps.app_configs:
        return None
    module = MigrationLoader.migrations_module(app)[0]
    if not module:
        return None
    parent, _, name = module.rpartition(".")
    found = importlib.util.find_spec(parent)
    return Path(next(iter(found.submodule_search_locations))) / name


def is_ours(path):
    return path.is_relative_to(Path.cwd()) and "site-packages" not in path.parts


def shown(path):
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def file_of(loader, key):
    return Path(sys.modules[loader.disk_migrations[key].__module__].__file__)


# --- git --------------------------------------------------------------------------------------------------------------


def git(*arguments):
    """What git prints, as bytes; None where it fails or is not there."""
    if not shutil.which("git"):
        return None
    done = subprocess.run(["git", *arguments], capture_output=True)
    return done.stdout if done.returncode == 0 else None


def in_git(path):
    """The newest commit of any branch that has the file, in full; None if none has it."""
    if git("cat-file", "-e", f"HEAD:./{shown(path)}") is not None:
        return git("rev-parse", "HEAD").decode().strip()
    commits = (git("log", "--all", "--format=%H %P", "--", str(shown(path))) or b"").decode().split()
    for commit in commits[: 2 * MOST]:
        if git("cat-file", "-e", f"{commit}:./{shown(path)}") is not None:
            return commit
    return None


def text_in_git(commit, path):
    return git("cat-file", "blob", f"{commit}:./{shown(path)}")


def described(commit):
    return git("show", "--no-patch", "--format=%h of %as, %s", commit).decode(errors="replace").strip()


# --- what to do -------------------------------------------------------------------------------------------------------


def operations_in(text):
    """The operations of a migration's text, in one spelling; empty if it has none."""
    values = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "operations"]
    return ast.unparse(values[0]) if values and getattr(values[0], "elts", True) else ""


def renamed_to(loader, key, text):
    """The migration of the same app that has exactly the code of the missing one, or None. Raises CannotTell for a near one."""
    others = {name: file_of(loader, (app, name)).read_bytes() for app, name in loader.disk_migrations if app == key[0]}
    same = [name for name, other in others.items() if ast.dump(ast.parse(other)) == ast.dump(ast.parse(text))]
    near = [name for name, other in others.items() if operations_in(text) and operations_in(other) == operations_in(text)]
    squashed = [name for name in others if "_squashed_" in name and not loader.disk_migrations[key[0], name].replaces]
    if len(same) == 1:
        return same[0]
    if near or squashed:
        raise CannotTell(f"{(near or squashed)[0]} makes the same tables or columns, so both files must not stand side by side.\n"
                         "Next: compare it with the lost one in git; then set SOURCE to it, and REPAIR=repoint if it was recorded, REPAIR=rename if it was not.")
    return None


def shipped(loader, app):
    return sorted(name for label, name in loader.disk_migrations if label == app)


def choose(loader, key, children):
    """(REPAIR, SOURCE, why). Raises CannotTell."""
    app, name = key
    foreign = [child for child in children if not is_ours(file_of(loader, child))]
    if foreign:
        raise CannotTell(f"{file_of(loader, foreign[0])} depends on it and lies in an installed package. "
                         "Next: install that package again at the version of your lock file; a stray file there must go.")
    folder = folder_of(app)
    if folder is None:
        raise CannotTell(f"The app {app} is not in INSTALLED_APPS, or has no migrations there. Next: put it back, and run this again. To remove the app, "
                         f"first write migrations that drop what points to it; {children[0][0]}.{children[0][1]} still needs it.")
    path = folder / f"{name}.py"
    if not is_ours(path):
        raise CannotTell(f"The package of {app} does not ship it. It ships: {', '.join(shipped(loader, app)) or 'no migration'}.\n"
                         "Next: read in the package's release notes which of these took its place, then set REPAIR=repoint and SOURCE to that name.")
    commit = in_git(path)
    if not commit:
        raise CannotTell(not_in_git(loader, key, path))
    text = text_in_git(commit, path)
    twin = renamed_to(loader, key, text)
    if twin and (app, twin) in loader.applied_migrations:
        if key in loader.applied_migrations:
            raise CannotTell(f"It was renamed to {twin}, and both names are recorded in this database. Next: look when each was applied, in django_migrations.")
        return "repoint", twin, f"It was renamed to {twin}, and this database recorded that name."
    if twin:
        return "rename", twin, f"It was renamed to {twin}, which this database has not recorded."
    return "restore", commit, f"git has it: {described(commit)}"


def not_in_git(loader, key, path):
    app, name = key
    recorded = "recorded" if key in loader.applied_migrations else "not recorded"
    ignored = git("check-ignore", "--verbose", str(shown(path)))
    shallow = (git("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
    fetch = "git fetch --unshallow, because this clone has no history," if shallow else "git fetch --all,"
    why = f"git ignores it: {ignored.decode().split(chr(9))[0]}. " if ignored else ""
    look = "git does not know this file" if git("rev-parse", "--git-dir") else "This project is not under git, or git is not here"
    return (f"{look}, and it is {recorded} in this database. {why}{app} has: {', '.join(shipped(loader, app)) or 'no migration'}.\n"
            f"Next: {fetch} and run this again; or take {name}.py from the release or the colleague that has it. "
            "If one of the names above is the same migration, set REPAIR=rename and SOURCE to it.")


def diagnose():
    """0: nothing is missing. 1: this is it. 2: only a person can tell what to do."""
    loader, missing = load()
    if not missing:
        print("Every migration that another one depends on has its file.")
        return 0
    for key, children in missing.items():
        print(f"{'.'.join(key)} is missing; needed by {', '.join('.'.join(child) for child in children)}")
    key = next(iter(missing))
    try:
        repair, source, why = choose(loader, key, missing[key])
    except CannotTell as reason:
        print(f"{reason}\nPARENT_APP={key[0]}\nPARENT={key[1]}\nCan't tell what to do. Nothing was changed.")
        return 2
    print(f"{why}\nPARENT_APP={key[0]}\nPARENT={key[1]}\nREPAIR={repair}\nSOURCE={source}")
    return 1


# --- fix --------------------------------------------------------------------------------------------------------------


def replace(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".part")
    whole.write_bytes(content)
    os.replace(whole, path)


def kept():
    """The steps of the last fix, for undo; those of an older fix, for another migration, are history."""
    last = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return last["steps"] if last.get("missing") == [os.environ["PARENT_APP"], os.environ["PARENT"]] else []


def keep(step):
    """Remember a step before it is done; one that a killed run had begun is remembered already."""
    if step not in kept():
        missing = [os.environ["PARENT_APP"], os.environ["PARENT"]]
        replace(KEPT, json.dumps({"missing": missing, "steps": [*kept(), step]}).encode())


def repointed(text, old, new):
    """The text of a migration with each dependency on `old` set to `new`; everything else stays, to the letter."""
    starts, lines = [0], text.splitlines(keepends=True)
    for line in lines:
        starts.append(starts[-1] + len(line))
    pairs = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Tuple) and ast.unparse(node) == repr(old)]
    for name in sorted((node.elts[1] for node in pairs), key=lambda each: -each.lineno):
        start, end = starts[name.lineno - 1] + name.col_offset, starts[name.end_lineno - 1] + name.end_col_offset
        text = text[:start] + f'"{new}"'.encode() + text[end:]
    return text


def objection(loader, key, children, repair, source):
    """Why this can't be done, or an empty text."""
    folder = folder_of(key[0])
    if folder is None:
        return f"the app {key[0]} is not in INSTALLED_APPS."
    if not all(is_ours(file_of(loader, child)) for child in children):
        return "a file of an installed package depends on it. Install that package again."
    path = folder / f"{key[1]}.py"
    if repair == "repoint":
        if (key[0], source) not in loader.disk_migrations:
            return f"SOURCE is not a migration that {key[0]} has: {source}"
        later = loader.graph.forwards_plan((key[0], source)) if (key[0], source) in loader.graph.nodes else []
        return "that dependency would close a ring." if set(children) & set(later) else ""
    if not is_ours(path):
        return f"{shown(path)} would lie in an installed package."
    if repair == "rename":
        if (key[0], source) not in loader.disk_migrations:
            return f"SOURCE is not a migration that {key[0]} has: {source}"
        return f"{source} is recorded in this database." if (key[0], source) in loader.applied_migrations else ""
    if repair == "restore":
        return "" if source and text_in_git(source, path) else f"SOURCE is no commit that has {shown(path)}: {source}"
    return "REPAIR is restore, rename or repoint. Run diagnose."


def carry_out(loader, key, children, repair, source):
    app, name = key
    path = folder_of(app) / f"{name}.py"
    if repair == "restore":
        package = path.with_name("__init__.py")
        if not package.exists():
            keep({"path": str(shown(package)), "made": True})
            replace(package, text_in_git(source, package) or b"")
        keep({"path": str(shown(path)), "made": True, "key": list(key), "recorded": key in loader.applied_migrations})
        replace(path, text_in_git(source, path))
        print(f"Restored {shown(path)} from commit {git('rev-parse', '--short', source).decode().strip()}, byte for byte.")
    elif repair == "rename":
        old = file_of(loader, (app, source))
        keep({"path": str(shown(old)), "renamed": str(shown(path)), "key": list(key), "recorded": key in loader.applied_migrations})
        os.replace(old, path)
        print(f"Renamed {shown(old)} to {path.name}")
    else:
        for child in children:
            file = file_of(loader, child)
            keep({"path": str(shown(file)), "before": file.read_bytes().decode()})
            replace(file, repointed(file.read_bytes(), key, source))
            print(f"{shown(file)} now depends on {app}.{source}")


def fix():
    key, repair, source = (os.environ["PARENT_APP"], os.environ["PARENT"]), os.environ["REPAIR"], os.environ["SOURCE"]
    loader, missing = load()
    if not missing:
        print("Nothing to do: no migration is missing.")
        return 0
    done = any(step.get("key") == list(key) for step in kept()) and key not in missing
    if not done and (why := objection(loader, key, missing[key], repair, source) if key in missing else f"{'.'.join(key)} is not missing."):
        print(f"Refused, nothing was changed: {why} Run diagnose again.", file=sys.stderr)
        return 1
    if not done:
        carry_out(loader, key, missing[key], repair, source)
    return restore_others()


def restore_others():
    """Bring back what the restored file needs in turn, and what else git can give for certain."""
    loader, missing = load()
    for _ in range(len(missing) + MOST):
        loader, missing = load()
        for key, children in missing.items():
            try:
                repair, source, _ = choose(loader, key, children)
            except CannotTell as reason:
                print(f"{'.'.join(key)} is missing too. {reason}")
                continue
            carry_out(loader, key, children, repair, source)
            break
        else:
            return 0
    return 1


def undo():
    steps = kept()
    applied = load()[0].applied_migrations
    for step in steps:
        if "key" in step and not step["recorded"] and tuple(step["key"]) in applied:
            print(f"Refused, nothing was changed: {'.'.join(step['key'])} was applied since. Migrate back first.", file=sys.stderr)
            return 1
    for step in reversed(steps):
        path = Path(step["path"])
        if "before" in step:
            replace(path, step["before"].encode())
        elif "renamed" in step and Path(step["renamed"]).exists():
            os.replace(step["renamed"], path)
        elif "made" in step:
            path.unlink(missing_ok=True)
    if steps:
        KEPT.unlink()
    print("The files are as they were before the fix." if steps else "Nothing to undo.")
    return 0


def verify():
    loader, missing = load()
    ends = {} if missing else loader.detect_conflicts()
    for key, children in missing.items():
        print(f"{'.'.join(key)} is missing; needed by {', '.join('.'.join(child) for child in children)}")
    for app, names in ends.items():
        print(f"{app} has {len(names)} last migrations now: {', '.join(names)}. Next: undo, and compare them.")
    if not missing and not ends:
        print("Every migration that another one depends on has its file.")
    return 1 if missing or ends else 0


try:
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2
sys.exit(status)
