"""Compares the columns that foreign keys point to with what the migrations expect of them. STEP says what to do about it."""

import json
import os
import re
import sys
from collections import namedtuple
from pathlib import Path

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

OK, FOUND, UNKNOWN = 0, 1, 2
KEPT = Path(".runbook/match-foreign-key-column")
SIZES = ("tinyint", "smallint", "mediumint", "int", "bigint")
COLUMN_LINE = re.compile(r"^`(?:[^`]|``)+` (\w+(?:\([^)]*\))?(?: unsigned)?(?: zerofill)?)((?: CHARACTER SET \w+)?(?: COLLATE \w+)?)(.*)$")
KEYS = """
SELECT u.table_name, u.constraint_name, u.column_name, r.delete_rule, r.update_rule FROM information_schema.key_column_usage u
JOIN information_schema.referential_constraints r USING (constraint_schema, constraint_name)
WHERE u.table_schema = DATABASE() AND u.referenced_table_name = %s AND u.referenced_column_name = %s AND r.table_name = u.table_name
    AND 1 = (SELECT count(*) FROM information_schema.key_column_usage o WHERE o.constraint_schema = u.constraint_schema
    AND o.constraint_name = u.constraint_name AND o.table_name = u.table_name)
ORDER BY 1, 2
"""
# What a referenced column is, or is to be. `keys` are the foreign keys that point to it: [table, name, column, on delete, on update].
Shape = namedtuple("Shape", "kind collation engine")
Difference = namedtuple("Difference", "table column is_now expected keys")


def query(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def quote(name):
    return connection.ops.quote_name(name)


def plain(kind):
    """A type as one spelling: widths of whole numbers mean nothing."""
    kind = kind.lower().split(" auto_increment")[0].replace("integer", "int")
    return re.sub(rf"\b({'|'.join(SIZES)})\(\d+\)", r"\1", kind)


def shape_of(table, column):
    rows = query(
        "SELECT column_type, c.collation_name, engine FROM information_schema.columns c JOIN information_schema.tables t"
        " USING (table_schema, table_name) WHERE table_schema = DATABASE() AND table_name = %s AND column_name = %s", [table, column])
    return Shape(plain(rows[0][0]), *rows[0][1:]) if rows else None


# --- what the migrations expect ------------------------------------------------------------------------------------------


def waiting_keys():
    """Those that could run next, since each parent is recorded."""
    keys = loader.graph.nodes.keys() - loader.applied_migrations.keys()
    return [key for key in sorted(keys) if {parent.key for parent in loader.graph.node_map[key].parents} <= loader.applied_migrations.keys()]


def targets(state):
    """{(table, column): (field, [(table, column) that points to it])} of the models of a state."""
    found = {}
    for model in state.apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if field.remote_field and field.db_constraint and not model._meta.proxy:
                target = field.target_field
                found.setdefault((target.model._meta.db_table, target.column), (target, []))[1].append((model._meta.db_table, field.column))
    return found


def expected_shape(field, children, is_now):
    """Whole numbers have no collation; text has that of the columns that point to it, or that they would get."""
    kind = plain(field.rel_db_type(connection))
    if not is_now.collation:
        return Shape(kind, None, "InnoDB")
    tables = dict(query("SELECT table_name, table_collation FROM information_schema.tables WHERE table_schema = DATABASE()"))
    there = {child: shape_of(*child) for child in children}
    collations = {there[child].collation if there[child] else tables.get(child[0]) or query("SELECT @@collation_database")[0][0] for child in children}
    wanted = getattr(field, "db_collation", None) or (collations.pop() if len(collations) == 1 else is_now.collation)
    return Shape(kind, wanted, "InnoDB")


def differences():
    """Of the recorded migrations; of those that run next where a table that no model knows points to the column."""
    recorded = loader.project_state([key for key in loader.applied_migrations if key in loader.graph.nodes])
    own, future = {model._meta.db_table for model in recorded.apps.get_models(include_auto_created=True)}, recorded.clone()
    for key in waiting_keys():
        future = loader.graph.nodes[key].mutate_state(future)
    was, found = targets(recorded), targets(future)
    for (table, column), (field, children) in sorted(found.items(), key=lambda each: each[0]):
        is_now, keys = shape_of(table, column), [list(row) for row in query(KEYS, [table, column])]
        if is_now is None:
            continue
        before = was.get((table, column), (field,))[0]
        strangers = any(key[0] not in own for key in keys)
        expected = expected_shape(field if strangers else before, children, is_now)
        if expected != is_now:
            yield Difference(table, column, is_now, expected, keys)


def obstacle(difference):
    """Why the column can't be changed by the fix, or None."""
    table, column, keys = difference.table, difference.column, difference.keys
    if own_keys(table, column) or any(query(KEYS, [key[0], key[2]]) for key in keys):
        return "the foreign keys are a chain, from this table to others or on from those that point to it: change them by hand"
    old, new = (re.match(r"(\w+)(?:\((\d+)\))?", shape.kind) for shape in (difference.is_now, difference.expected))
    if old[1] in SIZES and new[1] in SIZES:
        narrower = SIZES.index(new[1]) < SIZES.index(old[1])
    else:
        narrower = old[1] != new[1] or int(new[2] or 0) < int(old[2] or 0)
    return "the models expect a narrower or other type: change the model, and let makemigrations write it" if narrower else None


def own_keys(table, column):
    return query(
        "SELECT 1 FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name = %s AND column_name = %s"
        " AND referenced_table_name IS NOT NULL", [table, column])


# --- changing --------------------------------------------------------------------------------------------------------------


def line_of(table, column):
    """The column's line in SHOW CREATE TABLE."""
    lines = (line.strip().rstrip(",") for line in query(f"SHOW CREATE TABLE {quote(table)}")[0][1].splitlines())
    return next(line for line in lines if line.startswith(f"{quote(column)} "))


def modify(table, column, shape):
    kind, _, rest = COLUMN_LINE.match(line_of(table, column)).groups()
    collation = f" CHARACTER SET {shape.collation.split('_')[0]} COLLATE {shape.collation}" if shape.collation else ""
    query(f"ALTER TABLE {quote(table)} MODIFY {quote(column)} {shape.kind}{collation}{rest}")


def change(table, column, shape, keys):
    """Bring column and keys to a shape, from whatever a kill has left."""
    there = {key[1] for key in map(list, query(KEYS, [table, column]))}
    tables = sorted({table, *(key[0] for key in keys)})
    query(f"LOCK TABLES {', '.join(f'{quote(each)} WRITE' for each in tables)}")
    try:
        if shape_of(table, column) != shape or any(shape_of(*key[0:3:2])[:2] != shape[:2] for key in keys):
            for child, name, *_ in keys:
                if name in there:
                    query(f"ALTER TABLE {quote(child)} DROP FOREIGN KEY {quote(name)}")
                    there.remove(name)
        if shape_of(table, column).engine != shape.engine:
            query(f"ALTER TABLE {quote(table)} ENGINE = {shape.engine}")
        for each, name in [(table, column), *(key[0:3:2] for key in keys)]:
            if shape_of(each, name)[:2] != shape[:2]:
                modify(each, name, shape)
        for child, name, own, on_delete, on_update in keys:
            if name not in there:
                rules = "".join(f" ON {event} {rule}" for event, rule in (("DELETE", on_delete), ("UPDATE", on_update)) if rule != "RESTRICT")
                query(f"ALTER TABLE {quote(child)} ADD CONSTRAINT {quote(name)} FOREIGN KEY ({quote(own)}) REFERENCES {quote(table)} ({quote(column)}){rules}")
    finally:
        query("UNLOCK TABLES")


# --- steps -----------------------------------------------------------------------------------------------------------------


def named(difference):
    return f"{difference.table}.{difference.column}"


def spelled(shape):
    return " ".join(filter(None, (shape.kind, shape.collation, shape.engine)))


def diagnose():
    """0: all are as expected. 1: one can be changed. 2: one differs, and a person must decide."""
    if not found:
        print("Every referenced column is what the migrations expect.")
        return OK
    for each in found:
        print(f"{named(each)} is {spelled(each.is_now)}, and the migrations expect {spelled(each.expected)}")
        for line in [*(f"{key[0]}.{key[2]} points to it and changes with it" for key in each.keys), *filter(None, [obstacle(each)])]:
            print(f"  {line}")
    free = [named(each) for each in found if not obstacle(each)]
    if free:
        print(f"COLUMN={free[0]}")
    return FOUND if free else UNKNOWN


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def plan_file():
    return KEPT / f"{os.environ.get('COLUMN', '')}.json"


def is_name():
    return re.fullmatch(r"[^/\s]+\.[^/\s.]+", os.environ.get("COLUMN", ""))


def fix():
    column, chosen = os.environ.get("COLUMN", ""), next((each for each in found if named(each) == os.environ.get("COLUMN")), None)
    plan = json.loads(plan_file().read_text()) if is_name() and plan_file().exists() else None
    if not is_name() or not shape_of(*column.rsplit(".", 1)):
        return refuse(f"{column or '(none given)'} is no column here. Run diagnose again.")
    if chosen and obstacle(chosen):
        return refuse(f"{column}: {obstacle(chosen)}")
    if chosen and not (plan and plan["state"] == "changing"):
        plan = {"state": "changing", "before": chosen.is_now, "after": chosen.expected, "keys": chosen.keys}
        keep(plan)
    if not plan or plan["state"] != "changing":
        print(f"Nothing to do: {column} is what the migrations expect.")
        return OK
    move(plan, "after", "before")
    keep({**plan, "state": "changed"})
    print(f"{column} is {spelled(Shape(*plan['after']))}, with {len(plan['keys'])} foreign keys that point to it.")
    return OK


def move(plan, there, back):
    """Change the column to one of the plan's two shapes; when a value does not fit, go back to the other."""
    table, column = os.environ["COLUMN"].rsplit(".", 1)
    try:
        change(table, column, Shape(*plan[there]), plan["keys"])
    except DatabaseError as error:
        change(table, column, Shape(*plan[back]), plan["keys"])
        keep({**plan, "state": "changed"}) if back == "after" else plan_file().unlink()
        raise ValueError(f"{error}. {table}.{column} is {spelled(Shape(*plan[back]))} as before") from error


def keep(plan):
    """Write the plan before the change, whole or not at all: what a kill leaves is finished by it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    new = plan_file().with_suffix(".new")
    new.write_text(json.dumps(plan))
    new.replace(plan_file())


def undo():
    if not is_name() or not plan_file().exists():
        print("Nothing to undo: no change of this column is kept.")
        return OK
    plan = json.loads(plan_file().read_text())
    keep({**plan, "state": "changing"})
    move(plan, "before", "after")
    plan_file().unlink()
    print(f"{os.environ['COLUMN']} is {spelled(Shape(*plan['before']))}, as before the fix.")
    return OK


def verify():
    left = [each for each in found if named(each) == os.environ.get("COLUMN", named(each))]
    unfinished = [file.stem for file in KEPT.glob("*.json") if json.loads(file.read_text())["state"] == "changing"]
    print(*[f"{named(each)} is {spelled(each.is_now)}" for each in left], *[f"{name} is half changed: run the fix again" for name in unfinished],
          *[] if left or unfinished else ["Every referenced column is what the migrations expect."], sep="\n")
    return FOUND if left or unfinished else OK


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    if connection.vendor != "mysql":
        raise ValueError("this is about MariaDB alone")
    query("SET SESSION lock_wait_timeout = 5, sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
    loader = MigrationLoader(connection)
    found = list(differences())
    status = {"diagnose": diagnose, "fix": fix, "verify": verify, "undo": undo}[os.environ["STEP"]]()
except Exception as error:
    print(f"Stopped, and can't tell: {error}\nNo row was lost. Run verify: it says whether a column is half changed.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
