"""Finds the views in the way of the next migrations, and writes into a migration to drop them and make them again. STEP says which."""

import ast
import os
import re
import sys
from collections import namedtuple
from pathlib import Path

from django.db import connections, router
from django.db.migrations import operations as kinds
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.recorder import MigrationRecorder

OK, FOUND, UNKNOWN = 0, 1, 2
KEPT = Path(".runbook/rebuild-dependent-views/kept")
Change = namedtuple("Change", "table column removes renames")
View = namedtuple("View", "name drop make obstacles")
# Direct dependents of a column, or of the whole table, then the views that read those; the deepest last.
DEPENDENTS = """
WITH RECURSIVE dependent (oid, depth) AS (
    SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %s::regclass AND r.ev_class <> d.refobjid
    AND (%s OR d.refobjsubid = (SELECT attnum FROM pg_attribute WHERE attrelid = d.refobjid AND attname = %s))
    UNION ALL
    SELECT r.ev_class, depth + 1 FROM dependent JOIN pg_depend d ON d.refobjid = dependent.oid JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class <> d.refobjid AND depth < 100
)
SELECT oid, max(depth) FROM dependent GROUP BY oid
"""
VIEW = """
SELECT c.oid::regclass::text, relkind::text, pg_get_viewdef(c.oid), relispopulated, array_to_string(reloptions, ', '),
    (SELECT quote_literal(description) FROM pg_description WHERE objoid = c.oid AND classoid = 'pg_class'::regclass AND objsubid = 0),
    CASE WHEN relowner <> current_user::regrole THEN pg_get_userbyid(relowner) END,
    EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid) OR (SELECT count(*) > 1 FROM pg_rewrite WHERE ev_class = c.oid)
    OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND (attacl IS NOT NULL OR atthasdef))
    OR EXISTS (SELECT FROM pg_description WHERE objoid = c.oid AND objsubid > 0)
FROM pg_class c WHERE c.oid = %s
"""
GRANTS = """
SELECT pg_get_userbyid(grantee), grantee = 0, string_agg(privilege_type, ', ' ORDER BY privilege_type), is_grantable
FROM pg_class, aclexplode(relacl) WITH ORDINALITY AS acl (grantor, grantee, privilege_type, is_grantable, place)
WHERE oid = %s AND grantee <> relowner GROUP BY grantee, is_grantable ORDER BY min(place)
"""

# --- what the migrations change ------------------------------------------------------------------------------------------


def query(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def changes_of(key, before):
    """What a waiting migration changes, as far as a view can be in its way."""
    state, editor = before.clone(), connection.schema_editor(collect_sql=True)
    for operation in loader.graph.nodes[key].operations:
        name = getattr(operation, "model_name", None) or getattr(operation, "name", "")
        old = state.apps.get_model(key[0], name) if (key[0], name.lower()) in state.models else None
        operation.state_forwards(key[0], state)
        if old is None or not router.allow_migrate_model(connection.alias, old):
            continue
        renames = isinstance(operation, (kinds.RenameField, kinds.RenameModel, kinds.AlterModelTable))
        removes = isinstance(operation, (kinds.RemoveField, kinds.DeleteModel))
        column = None
        if isinstance(operation, FieldOperation) and not isinstance(operation, kinds.AddField):
            column = old._meta.get_field(getattr(operation, "old_name", operation.name)).column
        if isinstance(operation, kinds.AlterField):
            new = state.apps.get_model(key[0], name)._meta.get_field(operation.name)
            if not changes_the_column(editor, old._meta.get_field(operation.name), new):
                continue
        if isinstance(operation, kinds.AddField) and is_added_in_place(editor, operation.field):
            continue
        rebuilds = connection.vendor == "sqlite" and isinstance(operation, (FieldOperation, kinds.AddConstraint, kinds.RemoveConstraint))
        if renames or removes or column or rebuilds:
            yield Change(old._meta.db_table, column, removes, renames)


def is_added_in_place(editor, field):
    """Whether SQLite takes the column as it is; every other it adds by making the table anew."""
    return field.null and not field.unique and not field.has_db_default() and editor.effective_default(field) is None


def changes_the_column(editor, old, new):
    if connection.vendor == "sqlite":  # it makes the table anew
        return editor._field_should_be_altered(old, new)
    return old.db_parameters(connection)["type"] != new.db_parameters(connection)["type"]


# --- views ---------------------------------------------------------------------------------------------------------------


def views_in_the_way(changes):
    """The views to drop, those that read others last."""
    return sqlite_views(changes) if connection.vendor == "sqlite" else postgresql_views(changes)


def sqlite_views(changes):
    found, names = [], {change.table for change in changes}
    views = query("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid")
    while more := [view for view in views if view not in found and any(mentions(view[1], name) for name in names)]:
        found, names = found + more, {name for name, _ in more}
    for name, sql in found:
        triggers = query("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s ORDER BY rowid", [name])
        drop = f"DROP VIEW IF EXISTS {connection.ops.quote_name(name)}"
        gone = [change.column or change.table for change in changes if change.removes and mentions(sql, change.column or change.table)]
        yield View(name, drop, [sql, *(trigger for (trigger,) in triggers)], [f"it reads {what}, which the migration removes" for what in gone])


def renamed_below(change):
    """Views of SQLite that read a renamed column through another view: SQLite renames it in the first one alone."""
    for view in sqlite_views([change]) if connection.vendor == "sqlite" and change.renames and change.column else []:
        if mentions(view.make[0], change.column) and not mentions(view.make[0], change.table):
            yield f"{view.name}: it reads {change.column} through another view, and the migration renames it"


def mentions(sql, name):
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)


def broken_views():
    """Views of SQLite that can't be read: one of them stops every migration that rebuilds a table."""
    for (name,) in query("SELECT name FROM sqlite_master WHERE type = 'view'") if connection.vendor == "sqlite" else []:
        try:
            query(f"SELECT * FROM {connection.ops.quote_name(name)} LIMIT 0")
        except Exception as error:
            yield f"the view {name} can't be read by anybody ({error}): drop or correct it"


def postgresql_views(changes):
    depths, removed = {}, {}
    for change in changes:
        for oid, depth in query(DEPENDENTS, [connection.ops.quote_name(change.table), not change.column, change.column]):
            depths[oid] = max(depth, depths.get(oid, 0))
            if change.removes:
                removed.setdefault(oid, []).append(f"it reads {change.column or change.table}, which the migration removes")
    for oid in sorted(depths, key=lambda oid: (depths[oid], oid)):
        yield postgresql_view(oid, removed.get(oid, []))


def postgresql_view(oid, obstacles):
    name, kind, definition, filled, options, comment, owner, more = query(VIEW, [oid])[0]
    what = "MATERIALIZED VIEW" if kind == "m" else "VIEW"
    make = [f"CREATE {what} {name}{f' WITH ({options})' if options else ''} AS\n{definition.strip().rstrip(';')}"]
    if kind == "m":
        make[0] += f"\nWITH {'' if filled else 'NO '}DATA"
        make += [sql for (sql,) in query("SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s ORDER BY indexrelid", [oid])]
    make += [f"COMMENT ON {what} {name} IS {comment}"] if comment else []
    for role, everybody, privileges, grantable in query(GRANTS, [oid]):
        to = "PUBLIC" if everybody else quote(role)
        grant = f"GRANT {privileges} ON {name} TO {to}{' WITH GRANT OPTION' if grantable else ''}"
        make.append(grant if everybody else where_there_is(role, grant))
    make += [where_there_is(owner, f"ALTER {what} {name} OWNER TO {quote(owner)}")] if owner else []
    if kind not in "vm" or more:
        obstacles = [*obstacles, "it has a trigger or rule, or defaults, rights or comments of single columns, which are not carried over"]
    return View(name, f"DROP {what} IF EXISTS {name}", make, obstacles)


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def where_there_is(role, statement):
    """The statement for servers that know the role: a developer's does not."""
    literal = role.replace("'", "''")
    return f"DO $do$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{literal}') THEN {statement}; END IF; END $do$"


# --- the migration file ------------------------------------------------------------------------------------------------------


def operations_in(text):
    """The list of operations in the text of a migration."""
    tree = ast.parse(text)
    if not any(isinstance(node, ast.ImportFrom) and "migrations" in [each.asname or each.name for each in node.names] for node in tree.body):
        raise ValueError("its file does not import migrations by that name, so it can't be edited")
    migration = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Migration")
    found = next(node.value for node in migration.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "operations")
    if not isinstance(found, ast.List) or not found.elts:
        raise ValueError("its operations are no list that can be edited")
    return found


def edited(text, views):
    """The text of a migration with two operations more: the first drops the views, the last makes them again."""
    found, code = operations_in(text), text.encode()
    lines = code.splitlines(keepends=True)
    start, end = (sum(map(len, lines[: line - 1])) + column for line, column in (
        (found.lineno, found.col_offset + 1), (found.elts[-1].end_lineno, found.elts[-1].end_col_offset)))
    drops, makes = [view.drop for view in reversed(views)], [sql for view in views for sql in view.make]
    inside = code[start:end].decode().strip()
    rest = code[end:].decode().lstrip().removeprefix(",")
    after = rest if rest.startswith("\n") else f"\n    {rest.lstrip()}"
    new = f"{code[:start].decode()}\n{run_sql(drops, makes)}        {inside},\n{run_sql(makes, drops).rstrip()}{after}"
    if len(operations_in(new).elts) != len(found.elts) + 2:
        raise ValueError("its operations are no list that can be edited")
    return new


def run_sql(forwards, backwards):
    return "        migrations.RunSQL(\n" + "".join(
        f"            {argument}[\n{''.join(f'                {literal(sql)},{chr(10)}' for sql in statements)}            ],\n"
        for argument, statements in (("", forwards), ("reverse_sql=", backwards))
    ) + "        ),\n"


def literal(sql):
    return repr(sql) if "\n" not in sql or '"""' in sql or "\\" in sql else f'"""{sql}"""'


def file_of(key):
    return Path(sys.modules[type(loader.graph.nodes[key]).__module__].__file__)


def is_handled(view, key):
    return any(isinstance(each, kinds.RunSQL) and view.drop in str(each.sql) for each in loader.graph.nodes[key].operations)


# --- steps -------------------------------------------------------------------------------------------------------------------


def found_for(key):
    """(views in the way of a waiting migration, why they can't be rebuilt by the fix)"""
    changes = list(changes_of(key, recorded))
    views = list(views_in_the_way([each for each in changes if not each.renames]))
    obstacles = [f"{view.name}: {why}" for view in views for why in view.obstacles]
    obstacles += [f"the migration renames {each.table} or a column of it" for each in changes if each.renames and views]
    obstacles += [why for change in changes for why in renamed_below(change)]
    obstacles += list(broken_views()) if changes else []
    if views and not loader.graph.nodes[key].atomic:
        obstacles.append("the migration is not atomic: if it stopped half way, the views would be gone")
    return views, obstacles


def diagnose():
    """0: no view is in the way, or the migration sees to it. 1: these are. 2: these are, and a person must decide."""
    for key in waiting:
        views, obstacles = found_for(key)
        if obstacles or not all(is_handled(view, key) for view in views):
            print(f"{'.'.join(key)} changes what these views read: {', '.join(view.name for view in views) or '(none)'}")
            if obstacles:
                print("They can't be made again as they are:", *obstacles, sep="\n  ")
                return UNKNOWN
            print(*(f"  {sql}" for view in views for sql in view.make), f"MIGRATION={'.'.join(key)}", sep="\n")
            return FOUND
    print("No view is in the way of the migrations that can run next.")
    return OK


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def fix():
    if key not in loader.graph.nodes:
        return refuse(f"{'.'.join(key)} is not a migration of this project. Run diagnose again.")
    if key in loader.applied_migrations:
        print(f"Nothing to do: {'.'.join(key)} is recorded.")
        return OK
    views, obstacles = found_for(key) if key in waiting else ([], ["other migrations must run before it"])
    if obstacles:
        return refuse("; ".join(obstacles))
    views = [view for view in views if not is_handled(view, key)]
    if not views:
        print(f"Nothing to do: no view is in the way of {'.'.join(key)}, or it sees to them.")
        return OK
    file = file_of(key)
    text = edited(file.read_text(), views)
    KEPT.mkdir(parents=True, exist_ok=True)
    replace(KEPT / f"{'.'.join(key)}.py", file.read_text())
    replace(file, text)
    print(f"{file.name} now drops {', '.join(view.name for view in reversed(views))} first, and makes them again last.")
    return OK


def replace(file, text):
    """Write a file whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.replace(file)


def undo():
    kept = KEPT / f"{'.'.join(key)}.py"
    if not kept.exists():
        print("Nothing to undo: no file is kept for it.")
        return OK
    if MigrationRecorder(connection).applied_migrations().get(key):
        return refuse(f"{'.'.join(key)} was applied. Its file must stay as it ran.")
    replace(file_of(key), kept.read_text())
    kept.unlink()
    print(f"{'.'.join(key)} is as it was before the fix.")
    return OK


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    if connection.vendor == "mysql":
        raise ValueError("MariaDB changes and drops columns in spite of views")
    loader, key = MigrationLoader(connection), tuple(os.environ.get("MIGRATION", "").split(".", 1))
    loader.check_consistent_history(connection)
    recorded = loader.project_state([each for each in loader.applied_migrations if each in loader.graph.nodes])
    waiting = [
        each for each in sorted(loader.graph.nodes.keys() - loader.applied_migrations.keys())
        if {parent.key for parent in loader.graph.node_map[each].parents} <= loader.applied_migrations.keys()
    ]
    status = {"diagnose": diagnose, "fix": fix, "verify": diagnose, "undo": undo}[os.environ["STEP"]]()
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
