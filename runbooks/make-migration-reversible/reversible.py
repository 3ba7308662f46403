"""Finds applied migrations that can't be reversed, and lets those go back whose code wrote only what goes with them.

STEP says what to do. The file that the fix changes is kept in .runbook/make-migration-reversible/kept/ before.
"""

import ast
import json
import os
import sys
from pathlib import Path

from django.db import connections
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader

sys.path.insert(0, ".runbook/make-migration-reversible")
from written import WHOLE, of_python, of_sql  # noqa: E402

KEPT = Path(".runbook/make-migration-reversible/kept")
NEAR = 3
"""How many migrations of the app before it may have made what a migration writes, unless TARGET says how far you go back."""
REVERSE = {ops.RunPython: "reverse_code", ops.RunSQL: "reverse_sql"}
BY_HAND = {
    ops.RunPython: "Write reverse_code: a function (apps, schema_editor) that puts back what was there before. If that can't be computed, go forward with a new migration, or restore the backup.",
    ops.RunSQL: "Write reverse_sql: the statements that take it back.",
}


class Refused(Exception):
    """What is wrong; nothing was changed."""


def load():
    try:
        return MigrationLoader(connections[os.environ.get("RUNBOOK_DATABASE", "default")])
    except Exception as error:
        print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
        sys.exit(2)


loader = load()
graph = loader.graph


# --- what can't be reversed -------------------------------------------------------------------------------------------


def parts(operations):
    """The operations that reach the database, also those inside of others."""
    for operation in operations:
        if isinstance(operation, ops.SeparateDatabaseAndState):
            yield from parts(operation.database_operations)
        else:
            yield operation


def stuck(key):
    return [operation for operation in parts(graph.nodes[key].operations) if not operation.reversible]


def file_of(key):
    return Path(sys.modules[graph.nodes[key].__module__].__file__)


def is_ours(path):
    return path.is_relative_to(Path.cwd()) and "site-packages" not in path.parts


def all_stuck():
    """The applied migrations of this project that can't be reversed, the last one first."""
    order = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    return [key for key in reversed(order) if key in loader.applied_migrations and stuck(key) and is_ours(file_of(key))]


def described(operation):
    code = getattr(getattr(operation, "code", None), "__name__", "")
    return f"{type(operation).__name__}({code})" if code else type(operation).__name__


# --- what goes, and when ----------------------------------------------------------------------------------------------


def maker(key, written):
    """The migration that made a field or model which `key` writes; None if it was renamed or comes from elsewhere."""
    app, model, field = written
    for parent in reversed(graph.forwards_plan(key)):
        for operation in reversed(list(parts(graph.nodes[parent].operations)) if parent[0] == app else []):
            if isinstance(operation, ops.CreateModel) and operation.name_lower == model:
                return parent
            if isinstance(operation, ops.AddField) and (operation.model_name_lower, operation.name) == (model, field):
                return parent
            if isinstance(operation, ops.RenameModel) and operation.new_name_lower == model:
                return None
            if isinstance(operation, ops.RenameField) and (operation.model_name_lower, operation.new_name) == (model, field):
                return None
    return None


def unapplied_by(app, target):
    """The migrations that `migrate <app> <target>` takes back, as Django's MigrationExecutor.migration_plan finds them."""
    if target == "zero":
        first = graph.root_nodes(app)
    else:
        first = [child.key for child in graph.node_map[app, target].children if child.key[0] == app]
    return {key for each in first for key in graph.backwards_plan(each)}


def targets(key, makers):
    """The migrations of the app before it, the nearest first: (name, whether going back to it takes back all `makers`)."""
    earlier = [name for app, name in reversed(graph.forwards_plan(key)) if app == key[0] and name != key[1]]
    return [(name, makers <= unapplied_by(key[0], name)) for name in earlier]


def judge(key):
    """(TARGET, lines): where noop loses nothing, or None; and the evidence."""
    state, tree = loader.project_state(key), ast.parse(file_of(key).read_bytes())
    makers, lines, decided = {key}, [], True
    for operation in stuck(key):
        kind = type_of(operation)
        found, unclear = set(), ["it is neither RunPython nor RunSQL"]
        if kind:
            found, unclear = of_python(operation.code, tree, state) if kind is ops.RunPython else of_sql(operation.sql, state)
        made = {written: maker(key, written) for written in sorted(found)}
        lines += [f"{described(operation)} can't be reversed."]
        lines += [f"  it writes {shown(each)}, made by {'.'.join(by) if by else 'no migration that goes with it'}" for each, by in made.items()]
        lines += [f"  can't tell what this writes: {each}" for each in unclear]
        makers |= {by or ("", "") for by in made.values()}
        decided = decided and not unclear and all(made.values())
        if kind and (unclear or not all(made.values())):
            lines += [BY_HAND[kind]]
    wanted = os.environ.get("TARGET")
    enough = [name for name, all_gone in targets(key, makers)[: None if wanted else NEAR + 1] if all_gone]
    if decided and wanted and makers <= unapplied_by(key[0], wanted):
        return wanted, lines
    if decided and enough and not wanted:
        return enough[0], lines
    if decided:
        lines += [f"After going back to {wanted or 'one of the migrations before it'}, what it wrote stays.", BY_HAND[type_of(stuck(key)[0])]]
    return None, lines


def type_of(operation):
    return next((kind for kind in REVERSE if isinstance(operation, kind)), None)


def shown(written):
    return ".".join(written[:2]) + (" (rows)" if written[2] == WHOLE else f".{written[2]}")


# --- the steps --------------------------------------------------------------------------------------------------------


def asked(keys):
    """The migration that APP and MIGRATION name, or the last one that can't be reversed."""
    app, name = os.environ.get("APP", ""), os.environ.get("MIGRATION", "")
    if not (app and name):
        return keys[0] if keys else None
    if (app, name) not in graph.nodes:
        raise Refused(f"there is no migration {app}.{name}. `showmigrations` lists the names.")
    target = os.environ.get("TARGET", "")
    if target not in ("", "zero") and (app, target) not in graph.forwards_plan((app, name))[:-1]:
        raise Refused(f"{app}.{target} does not come before {app}.{name}.")
    return app, name


def diagnose():
    """0: all can be reversed. 1: noop loses nothing. 2: somebody has to write the way back."""
    keys = all_stuck()
    key = asked(keys)
    if not key or not stuck(key):
        print("Every applied migration of this project can be reversed." if not keys else f"{'.'.join(key)} can be reversed.")
        return 0
    if not is_ours(file_of(key)):
        raise Refused(f"{file_of(key)} lies in an installed package. Go forward with a migration of your own, or restore the backup.")
    target, lines = judge(key)
    print(f"{'.'.join(key)}:", *lines, sep="\n")
    if target:
        with_noop(file_of(key).read_bytes().decode(), key)
    if len(keys) > 1:
        print("Also irreversible:", *(".".join(each) for each in keys if each != key))
    print(f"APP={key[0]}\nMIGRATION={key[1]}")
    if not target:
        print("A way back that does nothing would leave what it wrote, and run the code twice. Nothing was changed.")
        return 2
    print(f"Going back to {target} or further takes away all that it wrote, so a way back that does nothing loses nothing.")
    print(f"TARGET={target}")
    return 1


def with_noop(text, key):
    """The file's text in which each stuck operation has a way back that does nothing. Raises Refused if it is written in another way."""
    operations, lines = graph.nodes[key].operations, text.encode().splitlines(keepends=True)
    elements = operations_in(text)
    same = len(elements) == len(operations)
    pairs = [pair for pair in zip(elements, operations, strict=False) if same and pair[1] in stuck(key)]
    if len(pairs) != len(stuck(key)) or not all(isinstance(call, ast.Call) and only_forwards(call) for call, _ in pairs):
        raise Refused(f"an operation in {file_of(key)} is written in a way that this can't change: write the way back by hand.")
    data = text.encode()
    for call, operation in reversed(pairs):
        last = [*call.args, *(each.value for each in call.keywords)][-1]
        end = sum(map(len, lines[: last.end_lineno - 1])) + last.end_col_offset
        data = data[:end] + f", {REVERSE[type_of(operation)]}={ast.unparse(call.func)}.noop".encode() + data[end:]
    if arguments(data) != arguments(text):
        raise Refused(f"an operation in {file_of(key)} is written in a way that this can't change: write the way back by hand.")
    return data.decode()


def only_forwards(call):
    """Whether a call names the way forward alone, so that the way back can be added to it."""
    return len(call.args) + sum(each.arg in ("code", "sql") for each in call.keywords) == 1 and not {"reverse_code", "reverse_sql", None} & {each.arg for each in call.keywords}


def operations_in(text):
    """The list of operations in the text of a migration, or an empty tuple where it is not written as a list."""
    assigned = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "operations"]
    return getattr(assigned[0].value, "elts", ()) if len(assigned) == 1 else ()


def arguments(text):
    """The positional arguments of each operation, or None if this is no Python."""
    try:
        return [[ast.dump(each) for each in getattr(call, "args", [])] for call in operations_in(text)]
    except SyntaxError:
        return None


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".part")
    whole.write_bytes(text.encode())
    os.replace(whole, path)


def kept_file(key):
    return KEPT / f"{'.'.join(key)}.json"


def fix():
    key = asked([])
    if not key:
        raise Refused("set APP, MIGRATION and TARGET.")
    if not stuck(key):
        print(f"Nothing to do: {'.'.join(key)} can be reversed.")
        return 0
    if key not in loader.applied_migrations or not is_ours(file_of(key)):
        raise Refused(f"{'.'.join(key)} is not an applied migration of this project.")
    target, lines = judge(key)
    if not target:
        raise Refused("\n".join(["a way back that does nothing would leave what it wrote.", *lines]))
    path = file_of(key)
    before = path.read_bytes().decode()
    after = with_noop(before, key)
    replace(kept_file(key), json.dumps({"path": str(path.relative_to(Path.cwd())), "before": before, "after": after}))
    replace(path, after)
    print(f"Wrote {path.relative_to(Path.cwd())}: going back over {'.'.join(key)} does nothing.")
    return 0


def verify():
    key = asked(all_stuck())
    if key and stuck(key):
        print(f"{'.'.join(key)} can't be reversed.")
        return 1
    print(f"{'.'.join(key)} can be reversed." if key else "Every applied migration of this project can be reversed.")
    return 0


def undo():
    key = asked([])
    kept = kept_file(key) if key else None
    if not kept or not kept.exists():
        print("Nothing to undo.")
        return 0
    plan = json.loads(kept.read_text())
    path = Path(plan["path"])
    if path.read_bytes().decode() not in (plan["before"], plan["after"]):
        raise Refused(f"{path} was edited since the fix. Take the change back by hand; the text before it is in {kept}.")
    replace(path, plan["before"])
    kept.unlink()
    print("The file is as it was before the fix.")
    return 0


try:
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Refused as refused:
    print(f"Refused, nothing was changed: {refused}", file=sys.stderr)
    status = 2 if os.environ["STEP"] == "diagnose" else 1
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2
sys.exit(status)
