"""Compares migrations of one app that have the same parent, and joins them. STEP says what to do."""

import ast
import json
import os
import sys
from itertools import combinations
from pathlib import Path

from django.apps import apps
from django.db import connections
from django.db.migrations import operations as ops
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.migrations.writer import OperationWriter

KEPT = Path(".runbook/merge-conflicting-migrations/kept")
MERGE = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
{parents}
    ]

    operations = []
"""
WHOLE, USED, CODE = "*", "is used", "code"
ADDITIONS = (ops.AddField, ops.CreateModel, ops.AddIndex)
ALTERATIONS = (ops.AlterField, ops.AlterModelOptions, ops.AlterModelManagers)


def load():
    try:
        loader = MigrationLoader(connections[os.environ.get("RUNBOOK_DATABASE", "default")])
        return loader, set(loader.applied_migrations), {app: set(names) for app, names in loader.detect_conflicts().items()}
    except Exception as error:
        print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
        sys.exit(2)


loader, recorded, conflicts = load()


# --- what the branches do ---------------------------------------------------------------------------------------------


def file_of(key):
    return Path(sys.modules[loader.disk_migrations[key].__module__].__file__)


def branches(app):
    """{leaf: its migrations that the other leaves do not have, in order}"""
    plans = {(app, name): loader.graph.forwards_plan((app, name)) for name in sorted(conflicts[app])}
    return {leaf: [key for key in plan if any(key not in other for other in plans.values())] for leaf, plan in plans.items()}


def flat(operations):
    for operation in operations:
        if isinstance(operation, ops.SeparateDatabaseAndState):
            yield from flat([*operation.state_operations, *operation.database_operations])
        else:
            yield operation


def operations_of(branch):
    return [(key[0], operation) for key in branch for operation in flat(loader.disk_migrations[key].operations)]


def used_models(app, model, fields):
    related = [field.remote_field.model for field in fields if getattr(field, "remote_field", None)]
    return {(*resolve_relation(each, app, model), USED) for each in related}


def touched(app, operation):
    """{(app, model, field)}: what an operation changes or needs; the field is WHOLE for a model, CODE for what can't be read."""
    if isinstance(operation, FieldOperation):
        names = {operation.name_lower, getattr(operation, "new_name_lower", operation.name_lower)}
        field = [operation.field] if operation.field else []
        return {(app, operation.model_name_lower, name) for name in names} | used_models(app, operation.model_name_lower, field)
    if isinstance(operation, ops.AddIndex) and operation.index.fields:
        return {(app, operation.model_name_lower, name.lower()) for name in (*operation.index.fields, f"index {operation.index.name}")}
    if isinstance(operation, IndexOperation):
        return {(app, operation.model_name_lower, WHOLE)}
    if isinstance(operation, ops.RenameModel):
        return {(app, operation.old_name_lower, WHOLE), (app, operation.new_name_lower, WHOLE)}
    if isinstance(operation, (ops.AlterModelOptions, ops.AlterModelManagers)):
        return {(app, operation.name_lower, type(operation).__name__)}
    if isinstance(operation, ModelOperation):
        fields = [field for _, field in getattr(operation, "fields", [])] if isinstance(operation, ops.CreateModel) else []
        return {(app, operation.name_lower, WHOLE)} | used_models(app, operation.name_lower, fields)
    return {(app, CODE, CODE)}


def meet(one, other):
    if CODE in (one[2], other[2]):
        return False
    return one[:2] == other[:2] and (WHOLE in (one[2], other[2]) or one[2] == other[2] != USED)


def clashes(one, other):
    """[(text, operations)] for what both branches change, so that their order matters."""
    found = []
    for app, operation in one:
        for other_app, other_operation in other:
            pairs = [(a, b) for a in touched(app, operation) for b in touched(other_app, other_operation) if meet(a, b)]
            if pairs:
                what = max((each for pair in pairs for each in pair), key=lambda each: each[2] != WHOLE)
                found.append((".".join(what).removesuffix(f".{WHOLE}"), (operation, other_operation)))
    return found


def code_beside_changes(one, other):
    """Whether a branch runs Python or SQL while the other one does more than add: then only a person can tell the order."""
    def runs_code(branch):
        return any(each[2] == CODE for app, operation in branch for each in touched(app, operation))

    def only_adds(branch):
        return all(isinstance(operation, ADDITIONS) for _, operation in branch)

    return (runs_code(one) and not only_adds(other)) or (runs_code(other) and not only_adds(one))


def written(branch):
    try:
        return [OperationWriter(operation, indentation=0).serialize()[0] for _, operation in operations_of(branch)]
    except ValueError:
        return None  # an operation that can't be written, such as a lambda


def repeated(found):
    """Whether both leaves are one migration each, with the very same operations, and no other migration needs them."""
    one, other = map(written, found.values())
    alone = all(len(branch) == 1 and not loader.graph.node_map[leaf].children for leaf, branch in found.items())
    return alone and bool(one) and one == other


def models_agree(first, last):
    """Whether the models are what `first` and then the branch `last` make of the fields that both change; None if that can't run."""
    try:
        state = loader.project_state(first)
        for key in last:
            state = loader.disk_migrations[key].mutate_state(state)
        now, same = ProjectState.from_apps(apps), True
        deep = MigrationAutodetector(state, now).deep_deconstruct
        for _, (operation, _) in clashes(operations_of(last), operations_of(branches(first[0])[first])):
            if isinstance(operation, ops.AlterField):
                model = (last[-1][0], operation.model_name_lower)
                fields = [each.models[model].fields[operation.name] for each in (state, now)]
                same = same and deep(fields[0]) == deep(fields[1])
        return same
    except Exception:
        return None


# --- diagnose ---------------------------------------------------------------------------------------------------------


def row(key):
    return "recorded here" if key in recorded else "not recorded here"


def listed(branch):
    for key in branch:
        migration = loader.disk_migrations[key]
        does = "; ".join(operation.describe() for operation in migration.operations) or "nothing"
        print(f"  {'.'.join(key)} ({row(key)}): {does}")


def choose(app):
    """((REPAIR, MIGRATION, OTHER_MIGRATION) or None, why)"""
    found = branches(app)
    leaves = list(found)
    ran = [leaf for leaf in leaves if recorded & set(found[leaf])]
    names = [name for _, name in leaves]
    foreign = [leaf for leaf in leaves if not is_ours(file_of(leaf))]
    if foreign:
        return None, f"{file_of(foreign[0])} lies in an installed package. Install that package again: a stray file there is nobody else's."
    if len(leaves) == 2 and repeated(found):
        if len(ran) == 1:
            dropped = next(leaf for leaf in leaves if leaf not in ran)
            return ("drop", dropped[1], ran[0][1]), f"Both do the same, and {ran[0][1]} did it here."
        return None, f"Both do the same, and {'both are' if ran else 'neither is'} recorded here. {ASK_OTHERS}"
    texts = [clash for one, other in combinations(found.values(), 2) for clash in clashes(operations_of(one), operations_of(other))]
    if texts:
        return in_order(found, ran, texts) if len(leaves) == 2 else (None, f"{said(texts)} {DECIDE}")
    if any(code_beside_changes(*map(operations_of, pair)) for pair in combinations(found.values(), 2)):
        return None, "One of them runs Python or SQL, and the other one changes more than it adds. Read both: if any order is right, set REPAIR=merge."
    return ("merge", names[0], names[1]), "They touch different things, so any order is right."


ASK_OTHERS = "Run this on every database, keep the migration that is recorded there, and set REPAIR=drop and MIGRATION to the other one."
DECIDE = "A merge migration would let the last one win, and which one that is differs between databases. Decide with the authors which one must run last, and set REPAIR=move and MIGRATION to it."


def said(texts):
    return f"Both change {', '.join(sorted({text for text, _ in texts}))}."


def in_order(found, ran, texts):
    """The order for two branches that change the same, if one of them ran here and the models say what the other one makes."""
    if not all(isinstance(operation, ALTERATIONS) for _, pair in texts for operation in pair):
        return None, f"{said(texts)} They add, rename or remove it, so no order can be right as it is. Rewrite the one that was applied nowhere."
    if len(ran) != 1:
        return None, f"{said(texts)} {'Both are' if ran else 'Neither is'} recorded here. {DECIDE}"
    last = next(leaf for leaf in found if leaf not in ran)
    if not models_agree(ran[0], found[last]):
        return None, f"{said(texts)} models.py says what {ran[0][1]} makes, and {last[1]} has not run. {DECIDE}"
    return ("move", last[1], ran[0][1]), f"{said(texts)} {ran[0][1]} ran here, and models.py says what {last[1]} makes, so that one has to run last."


def is_ours(path):
    return path.is_relative_to(Path.cwd()) and "site-packages" not in path.parts


def diagnose():
    """0: one leaf in each app. 1: this is it, and this order is right. 2: only a person can tell the order."""
    if not conflicts:
        print("Every app has one last migration.")
        return 0
    app = sorted(conflicts)[0]
    print(f"{app} has {len(conflicts[app])} last migrations:")
    for branch in branches(app).values():
        listed(branch)
    if len(conflicts) > 1:
        print(f"After {app}, run this again for: {', '.join(sorted(conflicts)[1:])}")
    choice, why = choose(app)
    print(why)
    if not choice:
        print(f"APP={app}\nCan't tell what to do. Nothing was changed.")
        return 2
    print(f"APP={app}\nMIGRATION={choice[1]}\nOTHER_MIGRATION={choice[2]}\nREPAIR={choice[0]}")
    return 1


# --- fix --------------------------------------------------------------------------------------------------------------


def objection(app, migration, other, repair):
    """Why this can't be done, or an empty text."""
    if app not in conflicts or not {migration, other} <= conflicts[app] or migration == other:
        return "MIGRATION and OTHER_MIGRATION are not two last migrations of APP. Run diagnose again."
    if not all(is_ours(file_of((app, name))) for name in conflicts[app]):
        return "one of the files lies in an installed package. Install that package again."
    found, (choice, why) = branches(app), choose(app)
    if repair == "merge":
        pairs = [list(map(operations_of, pair)) for pair in combinations(found.values(), 2)]
        return why if any(clashes(*pair) for pair in pairs) else ""
    if repair not in ("move", "drop") or len(found) != 2:
        return "REPAIR is merge, or, with two last migrations, move or drop."
    if recorded & set(found[app, migration]):
        return f"{migration} or one that it needs is recorded in this database, so its file must stay."
    if repair == "drop":
        return "" if repeated(found) else f"{migration} does more than {other}, so its file must stay."
    if choice and choice[0] == "drop":
        return f"{migration} does the same as {other}. Set REPAIR=drop."
    if any(not isinstance(each, ALTERATIONS) for _, pair in clashes(*map(operations_of, found.values())) for each in pair):
        return why
    return ""


def with_parent(text, app, parents, new):
    """The file's text with its dependency on one of `parents` set to `new`; put in front where there is none."""
    tree = ast.parse(text)
    value = next(node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "dependencies")
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    data, pair = text.encode(), f'("{app}", "{new}")'.encode()
    for node in value.elts:
        if ast.unparse(node) in {repr(parent) for parent in parents}:
            start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
            return (data[:start] + pair + data[end:]).decode()
    start = starts[value.lineno - 1] + value.col_offset + 1
    return (data[:start] + pair + (b", " if value.elts else b"") + data[start:]).decode()


def next_number(app):
    return max((int(name[:4]) for label, name in loader.disk_migrations if label == app and name[:4].isdigit()), default=0) + 1


def plan_of(app, migration, other, repair):
    """What to write, rename or remove, and the text to put back: kept on disk before the first change."""
    if repair == "merge":
        leaves = sorted(conflicts[app])
        name = f"{next_number(app):04}_merge_{'_'.join(leaves)}"
        path = in_project(file_of((app, migration))).with_name(f"{name if len(name) <= 100 else name[:10]}.py")
        parents = "\n".join(f'        ("{app}", "{leaf}"),' for leaf in leaves)
        return {"repair": repair, "path": str(path), "text": MERGE.format(parents=parents)}
    branch = [key for key in branches(app)[app, migration] if key[0] == app]
    path, named_elsewhere = in_project(file_of(branch[0])), loader.graph.node_map[branch[0]].children
    plan = {"repair": repair, "path": str(path), "before": path.read_bytes().decode(), "new_path": str(path)}
    if repair == "move":
        common = set(loader.graph.forwards_plan((app, migration))) - set(branch)
        plan["text"] = with_parent(plan["before"], app, [key for key in common if key[0] == app], other)
        rest = path.name[5:] if path.name[:4].isdigit() and path.name[4] == "_" else path.name
        if not named_elsewhere:
            plan["new_path"] = str(path.with_name(f"{int(other[:4]) + 1:04}_{rest}" if other[:4].isdigit() else path.name))
    return plan


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(path.name + ".part")
    whole.write_bytes(text.encode())
    os.replace(whole, path)


def kept_plan(app):
    return KEPT / f"{app}.json"


def carry_out(plan):
    path = Path(plan["path"])
    if plan["repair"] == "drop":
        path.unlink(missing_ok=True)
        print(f"Took {path} away; its text is kept in .runbook/")
    else:
        replace(path, plan["text"])
        print(f"Wrote {path}")
    if plan["repair"] == "move" and plan["new_path"] != plan["path"]:
        os.replace(path, plan["new_path"])
        print(f"Renamed it to {plan['new_path']}")


def in_project(path):
    return path.relative_to(Path.cwd())


def fix():
    app, migration, other, repair = (os.environ[name] for name in ("APP", "MIGRATION", "OTHER_MIGRATION", "REPAIR"))
    kept = kept_plan(app)
    if app not in conflicts and kept.exists():
        plan = json.loads(kept.read_text())
        if plan["repair"] == "move" and Path(plan["path"]).exists() and plan["path"] != plan["new_path"]:
            carry_out(plan)  # it was killed before the renaming
            return 0
    if not conflicts:
        print("Nothing to do: every app has one last migration.")
        return 0
    if why := objection(app, migration, other, repair):
        print(f"Refused, nothing was changed: {why}", file=sys.stderr)
        return 1
    plan = plan_of(app, migration, other, repair)
    replace(kept, json.dumps(plan))
    carry_out(plan)
    return 0


def undo():
    kept = kept_plan(os.environ["APP"])
    if not kept.exists():
        print("Nothing to undo.")
        return 0
    plan = json.loads(kept.read_text())
    path, new = Path(plan["path"]), Path(plan.get("new_path", plan["path"]))
    key = (os.environ["APP"], new.stem)
    if key in loader.graph.nodes and loader.graph.node_map[key].children:
        print(f"Refused, nothing was changed: other migrations depend on {new.stem} by now.", file=sys.stderr)
        return 1
    if plan["repair"] == "move" and key in recorded:
        print(f"Refused, nothing was changed: {new.stem} was applied. Migrate back first.", file=sys.stderr)
        return 1
    if plan["repair"] == "merge":
        if key in recorded:
            MigrationRecorder(loader.connection).record_unapplied(*key)
        path.unlink(missing_ok=True)
    else:
        replace(path, plan["before"])
        if new != path:
            new.unlink(missing_ok=True)
    kept.unlink()
    print("The files are as they were before the fix.")
    return 0


def verify():
    for app, names in sorted(conflicts.items()):
        print(f"{app} has {len(names)} last migrations: {', '.join(sorted(names))}")
    gone = []
    for kept in KEPT.glob("*.json"):
        name = Path(json.loads(kept.read_text())["path"]).stem
        gone += [name] if (kept.stem, name) in recorded and (kept.stem, name) not in loader.disk_migrations else []
    for name in gone:
        print(f"{name} is recorded in this database, and its file was moved or taken away: undo, and diagnose this database.")
    if not conflicts and not gone:
        print("Every app has one last migration.")
    return 1 if conflicts or gone else 0


try:
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2
sys.exit(status)
