"""Finds a dependency that was added to an applied migration, and moves it to a new migration. STEP says what to do."""

import ast
import os
import sys
from pathlib import Path

from django.db import connections
from django.db.migrations.loader import MigrationLoader

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
KEPT = Path(".runbook/move-dependency-to-new-migration/kept")
NEW_MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("{app}", "{leaf}"),
        ("{parent_app}", "{parent}"),
    ]

    operations = []
"""


def load():
    try:
        return MigrationLoader(connection)
    except Exception as error:
        print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
        sys.exit(2)


loader = load()
recorded = set(loader.applied_migrations)


def file_of(key):
    return Path(sys.modules[loader.disk_migrations[key].__module__].__file__)


def lists_in(path, attribute):
    """The list that the class Migration of the file assigns to `attribute`, as a syntax node; None if there is none."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List) and ast.unparse(node.targets[0]) == attribute:
            return node.value
    return None


def place_of(child, parent):
    """(owner of the file, attribute, entry) where the dependency is written as a plain pair, or None."""
    for owner, attribute, entry in ((child, "dependencies", parent), (parent, "run_before", child)):
        written = lists_in(file_of(owner), attribute)
        for node in written.elts if written else []:
            if isinstance(node, ast.Tuple) and ast.unparse(node) == repr(entry):
                return owner, attribute, entry
    return None


def impossible_edges():
    """(child, parent): the child is applied, its parent is not. Django's own rule: check_consistent_history."""
    edges = []
    for child in sorted(recorded & loader.graph.nodes.keys()):
        for parent in loader.graph.node_map[child].parents:
            replaced = getattr(loader.replacements.get(parent.key), "replaces", None)
            if parent.key not in recorded and not (replaced and recorded.issuperset(map(tuple, replaced))):
                edges.append((child, parent.key))
    return edges


def is_in_database(key):
    """Whether the tables and columns that the migration makes are there already; None if it makes none."""
    state, after = loader.project_state(key, at_end=False).apps, loader.project_state(key, at_end=True).apps
    before = {(m._meta.db_table, f.column) for m in state.get_models(include_auto_created=True) for f in m._meta.local_concrete_fields}
    made = {(m._meta.db_table, f.column) for m in after.get_models(include_auto_created=True) for f in m._meta.local_concrete_fields} - before
    with connection.cursor() as cursor:
        tables = {table for table, _ in made}.intersection(connection.introspection.table_names(cursor))
        existing = {(table, column.name) for table in tables for column in connection.introspection.get_table_description(cursor, table)}
    return bool(made & existing) if made else None


def was_renamed(app):
    """Whether rows of an app that is no longer there carry the names of this app's migrations."""
    own = {name for label, name in loader.disk_migrations if label == app}
    gone = {label for label, _ in recorded} - loader.migrated_apps - loader.unmigrated_apps
    return any(own & {name for label, name in recorded if label == other} for other in gone)


def diagnose():
    """0: no such dependency. 1: this is it. 2: inconsistent for another reason."""
    edges = impossible_edges()
    if not edges:
        print("No applied migration depends on one that is not applied.")
        return 0
    child, parent = edges[0]
    place = place_of(child, parent)
    if not place or is_in_database(parent) or was_renamed(parent[0]):
        print(f"{'.'.join(child)} is applied before {'.'.join(parent)}, but not because a dependency was added to a file.")
        return 2
    print(f"{shown(file_of(place[0]))}: {place[1]} names {'.'.join(place[2])}")
    print(f"{'.'.join(child)} is applied, {'.'.join(parent)} is not, and nothing that it makes is in the database.")
    print(f"APP={child[0]}\nMIGRATION={child[1]}\nPARENT_APP={parent[0]}\nPARENT={parent[1]}")
    return 1


def without(path, attribute, entry):
    """The text of the file without the entry; everything else stays as it is, to the letter."""
    text = path.read_text()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    written = lists_in(path, attribute)
    node = next(n for n in written.elts if ast.unparse(n) == repr(entry))
    start, end = (starts[line - 1] + column for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)))
    rest = text[end:]
    comma = rest.index(",") + 1 if rest.lstrip().startswith(",") else 0
    head, tail = text[:start].rstrip(" "), text[end + comma:].lstrip(" ")
    return head + (tail[1:] if head.endswith("\n") and tail.startswith("\n") else tail)


def new_file(child, parent):
    """The migration that takes the dependency over: the one already written, or the next free number."""
    folder = file_of(child).parent
    suffix = f"_after_{parent[0]}_{parent[1]}"
    written = [name for label, name in loader.disk_migrations if label == child[0] and name.endswith(suffix)]
    if written:
        return folder / f"{written[0]}.py", None
    leaf = max(name for label, name in loader.graph.leaf_nodes(child[0]))
    number = max((int(name[:4]) for label, name in loader.disk_migrations if label == child[0] and name[:4].isdigit()), default=0) + 1
    text = NEW_MIGRATION.format(app=child[0], leaf=leaf, parent_app=parent[0], parent=parent[1])
    return folder / f"{number:04}{suffix}.py", text


def kept_copy(owner):
    return KEPT / owner[0] / file_of(owner).name


def shown(path):
    return path.relative_to(Path.cwd())


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".new")
    whole.write_text(text)
    os.replace(whole, path)


def chosen():
    return (os.environ["APP"], os.environ["MIGRATION"]), (os.environ["PARENT_APP"], os.environ["PARENT"])


def fix():
    child, parent = chosen()
    edges = impossible_edges()
    if not edges:
        print("Nothing to do: no applied migration depends on one that is not applied.")
        return 0
    if (child, parent) not in edges or not place_of(child, parent) or is_in_database(parent) or was_renamed(parent[0]):
        print("Refused, nothing was changed: this is not what diagnose finds. Run diagnose again.", file=sys.stderr)
        return 1
    owner, attribute, entry = place_of(child, parent)
    path = file_of(owner)
    added, text = new_file(child, parent)
    replace(kept_copy(owner), path.read_text())
    if text:
        replace(added, text)
    replace(path, without(path, attribute, entry))
    print(f"Took {'.'.join(entry)} out of {shown(path)}\nWrote {shown(added)}")
    return 0


def undo():
    child, parent = chosen()
    added, text = new_file(child, parent)
    if not text and (child[0], added.stem) in recorded:
        print(f"Refused, nothing was changed: {added.stem} is applied already.", file=sys.stderr)
        return 1
    for owner in (child, parent):
        if kept_copy(owner).exists():
            replace(file_of(owner), kept_copy(owner).read_text())
    if not text:
        added.unlink()
    print("Both files are as they were before the fix.")
    return 0


def verify():
    edges = impossible_edges()
    print(*[f"{'.'.join(c)} is applied, {'.'.join(p)} is not" for c, p in edges] or ["Every applied migration has its dependencies applied."], sep="\n")
    return 1 if edges else 0


sys.exit({"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]())
