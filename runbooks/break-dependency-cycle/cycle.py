"""Finds a cycle of migration dependencies and the file that closes it, and takes it apart. STEP says what to do."""

import ast
import os
import sys
from pathlib import Path

from django.db import connections
from django.db.migrations.exceptions import CircularDependencyError
from django.db.migrations.loader import MigrationLoader

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
KEPT = Path(".runbook/break-dependency-cycle/kept")
loader = MigrationLoader(connection, load=False)
try:
    loader.build_graph()
except CircularDependencyError:
    pass  # the graph is there all the same
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
    sys.exit(2)
graph, recorded = loader.graph, set(loader.applied_migrations)


def shortest_way_back(start):
    """The shortest list of migrations from `start` over dependencies to itself, or None."""
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop(0)
        for parent in sorted(graph.node_map[way[-1]].parents):
            if parent.key == start:
                return [*way, start]
            if parent.key not in seen:
                seen.add(parent.key)
                ways.append([*way, parent.key])
    return None


def find_cycle():
    ways = [way for way in map(shortest_way_back, sorted(graph.nodes)) if way]
    return min(ways, key=len) if ways else None


def file_of(key):
    return Path(sys.modules[loader.disk_migrations[key].__module__].__file__)


def kept_copy(key):
    return KEPT / key[0] / file_of(key).name


def items_of(tree, attribute):
    """The elements of the list that the class Migration assigns to `attribute`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == attribute and isinstance(node.value, ast.List):
            return node.value.elts
    return []


def call_name(node):
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def arguments(node, *names):
    """The call's arguments by name, whether they were given by position or by name."""
    return {**dict(zip(names, node.args, strict=False)), **{keyword.arg: keyword.value for keyword in node.keywords}}


def points_to(node, app):
    return any(isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value.lower().startswith(f"{app}.") for n in ast.walk(node))


def fields_towards(tree, app):
    """[(model, field, syntax node of the field, syntax node to take out)] for each field that points to `app`; None if something else does."""
    found = []
    for operation in items_of(tree, "operations"):
        if not points_to(operation, app):
            continue
        given = arguments(operation, "model_name", "name", "field")
        if call_name(operation) == "AddField":
            found.append((given["model_name"].value, given["name"].value, given["field"], operation))
        elif call_name(operation) == "CreateModel":
            given = arguments(operation, "name", "fields")
            entries = [pair for pair in given["fields"].elts if points_to(pair, app)]
            if sum(points_to(part, app) for part in given.values()) != 1 or not entries:
                return None
            found += [(given["name"].value.lower(), pair.elts[0].value, pair.elts[1], pair) for pair in entries]
        else:
            return None
    return found


def used_elsewhere(app, model, field, owner):
    """Whether another operation of the app names the field, so that it can't move behind all others."""
    for key in loader.disk_migrations:
        if key[0] != app or key == owner or is_ours(key):
            continue
        for operation in items_of(ast.parse(file_of(key).read_text()), "operations"):
            words = {n.value for n in ast.walk(operation) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            if field in words and {model, model.lower()} & {word.lower() for word in words}:
                return True
    return False


def is_ours(key):
    return (KEPT / key[0] / f"{key[1]}.new").exists()


def column_exists(app, model, field):
    """Whether the field's column, or its many-to-many table, is in the database already."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        columns = {c.name for c in connection.introspection.get_table_description(cursor, f"{app}_{model}")} if f"{app}_{model}" in tables else set()
    return f"{field}_id" in columns or field in columns or f"{app}_{model}_{field}" in tables


def squash_in(way):
    disk = loader.disk_migrations
    return next((key for key in way if disk[key].replaces and all(tuple(old) in disk for old in disk[key].replaces)), None)


def edges_to_break(way):
    """The dependencies of the cycle that can be taken out of a file, the one that was added last first."""
    found = []
    for child, parent in zip(way, way[1:], strict=False):
        tree = ast.parse(file_of(child).read_text()) if child[0] != parent[0] else ast.parse("")
        if any(ast.unparse(entry) == repr(parent) for entry in items_of(tree, "dependencies")):
            fields = fields_towards(tree, parent[0])
            if fields is not None and not any(used_elsewhere(child[0], m, f, child) for m, f, _, _ in fields):
                there = any(column_exists(child[0], m, f) for m, f, _, _ in fields)
                found.append((not ran_before(child, parent), there, child, parent))
    return [(child, parent) for *_, child, parent in sorted(found)]


def ran_before(child, parent):
    """Whether a migration was recorded before the one that it depends on: then the dependency was added later."""
    rows = [loader.applied_migrations.get(key) for key in (child, parent)]
    return all(rows) and rows[0].pk < rows[1].pk


def choice(way):
    """(migration, dependency to take out), (squashed migration, None), or None when neither can be done."""
    squash = squash_in(way)
    return (squash, None) if squash else next(iter(edges_to_break(way)), None)


def named(key):
    return ".".join(key)


def diagnose():
    """0: no cycle. 1: a cycle that this runbook can break. 2: a cycle that it can't."""
    way = find_cycle()
    if not way:
        print("No cycle: the migration files fit together.")
        return 0
    print("Cycle:", " needs ".join(map(named, way)))
    found = choice(way)
    if not found:
        print("Can't tell which file to change: every dependency of the cycle is used by more than fields that can move.")
        return 2
    key, parent = found
    print(f"{shown(file_of(key))} closes it" + (f" by its dependency on {named(parent)}." if parent else " because it squashes across it."))
    print(f"APP={key[0]}\nMIGRATION={key[1]}\nPARENT_APP={parent[0] if parent else ''}\nPARENT={parent[1] if parent else ''}")
    return 1


def cut(text, nodes):
    """The text without these list elements and the commas behind them; everything else stays, to the letter."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in sorted(nodes, key=lambda n: -n.lineno):
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        if text[end:].lstrip().startswith(","):
            end = text.index(",", end) + 1
        head, tail = text[:start].rstrip(" "), text[end:].lstrip(" ")
        text = head + (tail[1:] if head.endswith("\n") and tail.startswith("\n") else tail)
    return text


def new_migration(text, child, parent, leaf, fields):
    tree = ast.parse(text)
    moved = [ast.get_source_segment(text, node) for _, _, node, _ in fields]
    used = {n.id for _, _, node, _ in fields for n in ast.walk(node) if isinstance(n, ast.Name)} | {"migrations", "models"}
    imports = [ast.unparse(n) for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))
               and used & {(a.asname or a.name).split(".")[0] for a in n.names}]
    operations = "".join(
        f'        migrations.AddField(\n            model_name="{model}",\n            name="{field}",\n            field={source},\n        ),\n'
        for (model, field, _, _), source in zip(fields, moved, strict=True)
    )
    return "\n".join([
        *imports, "", "", "class Migration(migrations.Migration):", "    dependencies = [",
        *(f'        ("{app}", "{name}"),' for app, name in (leaf, parent)), "    ]", "", "    operations = [", operations + "    ]", "",
    ])


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".part")
    whole.write_text(text)
    os.replace(whole, path)


def shown(path):
    return path.relative_to(Path.cwd())


def given():
    return (os.environ["APP"], os.environ["MIGRATION"]), (os.environ["PARENT_APP"], os.environ["PARENT"])


def fix():
    way, (key, parent) = find_cycle(), given()
    if not way:
        print("Nothing to do: no cycle.")
        return 0
    possible = [(squash_in(way), ("", ""))] if squash_in(way) else edges_to_break(way)
    if (key, parent) not in possible:
        print("Refused, nothing was changed: this is not what diagnose finds. Run diagnose again.", file=sys.stderr)
        return 1
    path = file_of(key)
    replace(kept_copy(key), path.read_text())
    if not parent[0]:
        path.unlink()
        print(f"Took {shown(path)} away; a copy is {kept_copy(key)}")
        return 0
    text = path.read_text()
    tree = ast.parse(text)
    fields = fields_towards(tree, parent[0])
    if fields:
        add_migration(key, parent, text, fields)
    entry = next(e for e in items_of(tree, "dependencies") if ast.unparse(e) == repr(parent))
    replace(path, cut(text, [entry, *(taken for _, _, _, taken in fields)]))
    print(f"Took the dependency on {named(parent)} out of {shown(path)}")
    return 0


def add_migration(key, parent, text, fields):
    app, existing = key[0], [k for k in loader.disk_migrations if k[0] == key[0] and not is_ours(k)]
    number = max(int(name[:4]) for _, name in existing if name[:4].isdigit()) + 1
    name = f"{number:04}_{fields[0][0]}_{fields[0][1]}"
    leaf = max(k for k in existing if not any(child.key in existing for child in graph.node_map[k].children))
    replace(KEPT / app / f"{name}.new", "\n".join(f"{model}.{field}" for model, field, _, _ in fields))
    replace(file_of(key).with_name(f"{name}.py"), new_migration(text, key, parent, leaf, fields))
    print(f"Wrote {shown(file_of(key).with_name(name + '.py'))}")


def ours():
    """{the new migration: its [(model, field)]} for what the fix wrote into this app."""
    marks = (KEPT / os.environ["APP"]).glob("*.new")
    return {(os.environ["APP"], m.stem): [tuple(line.split(".")) for line in m.read_text().splitlines()] for m in marks}


def record():
    """Records the new migration where its columns are there already, so that `migrate` does not add them twice."""
    from django.db.migrations.recorder import MigrationRecorder

    for key, fields in ours().items():
        if key not in recorded and all(column_exists(key[0], *each) for each in fields):
            replace(KEPT / key[0] / f"{key[1]}.recorded", "")
            MigrationRecorder(connection).record_applied(*key)
            print(f"Recorded {named(key)}: its columns are in the database already.")
        elif key not in recorded:
            print(f"{named(key)} is for `migrate` to apply: its columns are not in the database.")
    return 0


def undo():
    from django.db.migrations.recorder import MigrationRecorder

    for key in ours():
        if key in recorded and not (KEPT / key[0] / f"{key[1]}.recorded").exists():
            print(f"Refused, nothing was changed: {named(key)} was applied. Migrate back first.", file=sys.stderr)
            return 1
    for key in ours():
        MigrationRecorder(connection).record_unapplied(*key)
        file = Path(sys.modules[next(m.__module__ for k, m in loader.disk_migrations.items() if k[0] == key[0])].__file__).with_name(f"{key[1]}.py")
        file.unlink(missing_ok=True)
    folder = Path(sys.modules[next(m.__module__ for k, m in loader.disk_migrations.items() if k[0] == os.environ["APP"])].__file__).parent
    kept = KEPT / os.environ["APP"] / f"{os.environ['MIGRATION']}.py"
    if kept.exists():
        replace(folder / kept.name, kept.read_text())
    for mark in [*(KEPT / os.environ["APP"]).glob("*.new"), *(KEPT / os.environ["APP"]).glob("*.recorded")]:
        mark.unlink()
    print("The files are as they were before the fix.")
    return 0


def verify():
    way = find_cycle()
    pending = [key for key, fields in ours().items() if key not in recorded and any(column_exists(key[0], *each) for each in fields)] if "APP" in os.environ else []
    if way:
        print("Cycle:", " needs ".join(map(named, way)))
    for key in pending:
        print(f"{named(key)} is not recorded, though its columns are in the database.")
    if not way and not pending:
        print("No cycle: the migration files fit together.")
    return 1 if way or pending else 0


sys.exit({"diagnose": diagnose, "fix": fix, "record": record, "undo": undo, "verify": verify}[os.environ["STEP"]]())
