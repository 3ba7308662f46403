"""Compares what the next migrations would make with what is there already. STEP says what to do about it."""

import os
import re
import sys

from django.db import connections, router, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
quote = connection.ops.quote_name
SCRATCH = "adopt_scratch"
FOUND, OK, UNKNOWN = 1, 0, 2
NOT_COMPARED = (RunPython, RunSQL, SeparateDatabaseAndState)

# --- what migrations make ---------------------------------------------------------------------------------------------


def models_of(state):
    """{table: model} of the tables that Django makes for this state in this database."""
    models = state.apps.get_models(include_auto_created=True)
    own = [model for model in models if model._meta.managed and not model._meta.proxy]
    return {model._meta.db_table: model for model in own if router.allow_migrate_model(connection.alias, model)}


def columns_of(model):
    return {field.column for field in model._meta.local_concrete_fields if field.column}


def names_in(models):
    """{(table, None)} and {(table, column)} of some models."""
    return {(table, None) for table in models} | {(table, column) for table in models for column in columns_of(models[table])}


def live_names(tables):
    """The same of those of these tables that are there."""
    look = connection.introspection
    with connection.cursor() as cursor:
        there = tables.intersection(look.table_names(cursor))
        columns = {(table, column.name) for table in there for column in look.get_table_description(cursor, table)}
    return {(table, None) for table in there} | columns


def first_clash():
    """(key, models before, models after, names that are there already) of the first waiting migration that has any."""
    waiting = [key for key in order if key not in loader.applied_migrations]
    state, live, looked_at = ProjectState(real_apps=loader.unmigrated_apps), set(), set()
    for key in (key for key in order if key in loader.applied_migrations):
        loader.graph.nodes[key].mutate_state(state, preserve=False)
    before = models_of(state) if waiting else {}
    for key in waiting:
        state = loader.graph.nodes[key].mutate_state(state)
        after = models_of(state)
        made, gone = names_in(after) - names_in(before), names_in(before) - names_in(after)
        touched = {table for table, _ in made | gone} - looked_at
        live, looked_at = live | live_names(touched), looked_at | touched
        if made & live:
            return key, before, after, made & live
        before, live = after, (live - gone) | made
    return None


def statements(model):
    """The statements with which Django would make the model's table, under the name SCRATCH."""
    meta, editor = model._meta, connection.schema_editor(collect_sql=True, atomic=False)
    table, many = meta.db_table, meta.local_many_to_many
    meta.db_table, meta.local_many_to_many, editor.deferred_sql = SCRATCH, [], []
    if connection.vendor != "sqlite":  # there it is made in a database of its own
        editor.sql_create_table = editor.sql_create_table.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
    editor.create_model(model)
    meta.db_table, meta.local_many_to_many = table, many
    return [*editor.collected_sql, *map(str, editor.deferred_sql)]


# --- tables as lines that can be compared --------------------------------------------------------------------------------


def plain(line):
    return re.sub(r"\s+(?=\()", "", re.sub(r"\s+", " ", re.sub(r'["`]', "", line))).strip(" ,;")


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def checks_in(sql):
    """The conditions of the CHECKs in a CREATE TABLE statement: from each opening parenthesis to the one that closes it."""
    for found in re.finditer(r"\bCHECK\s*\(", sql, re.IGNORECASE):
        depth, end = 1, found.end()
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        yield f"CHECK({sql[found.end():end]}"


def sqlite_lines(read, table, names):
    made = dict(read(f"SELECT name, sql FROM sqlite_master WHERE tbl_name = {literal(table)}"))
    columns = read(f"PRAGMA table_xinfo({quote(table)})")
    for _, name, kind, not_null, default, _, _ in columns:
        yield f"column {name} {kind.lower()}{' NOT NULL' * not_null}" + (f" DEFAULT {default}" if default is not None else "")
    yield f"PRIMARY KEY({', '.join(row[1] for row in columns if row[5])})" + " AUTOINCREMENT" * ("AUTOINCREMENT" in made[table].upper())
    yield from checks_in(made[table])
    for key in read(f"PRAGMA foreign_key_list({quote(table)})"):
        yield f"FOREIGN KEY({key[3]}) REFERENCES {key[2]}({key[4]})" + f" ON DELETE {key[6]}" * (key[6] != "NO ACTION")
    for _, name, unique, origin, _ in read(f"PRAGMA index_list({quote(table)})"):
        kind, columns = "UNIQUE" if unique else "INDEX", [row[2] for row in read(f"PRAGMA index_info({quote(name)})")]
        rest = re.sub(r'^.*? ON ("[^"]+"|\S+)\s*', "", made.get(name) or "", flags=re.DOTALL)
        if origin != "pk":
            yield f"{name + ' ' if name in names else ''}{kind} {rest or '(' + ', '.join(columns) + ')'}"


def postgresql_lines(read, table, names):
    where = f"to_regclass({literal(quote(table))})"
    for name, kind, not_null, identity, default in read(
        "SELECT attname, format_type(atttypid, atttypmod) || CASE WHEN attcollation NOT IN (0, typcollation) THEN ' COLLATE ' ||"
        " attcollation::regcollation ELSE '' END, attnotnull, attidentity <> '', pg_get_expr(adbin, adrelid) FROM pg_attribute"
        " JOIN pg_type ON pg_type.oid = atttypid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        f" WHERE attrelid = {where} AND attnum > 0 AND NOT attisdropped"
    ):
        numbered = identity or (default or "").startswith("nextval(")
        last = " numbered by itself" if numbered else f" DEFAULT {default}" if default else ""
        yield f"column {name} {kind}{' NOT NULL' * not_null}{last}"
    # NOT NULL, a constraint of its own since PostgreSQL 18, belongs to the column's line.
    of_table = f"conrelid = {where} AND contype <> 'n'"
    found = read(f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE {of_table}")
    found += read(
        "SELECT relname, (CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END) || 'INDEX ' || substring(pg_get_indexdef(indexrelid)"
        f" from ' USING (.*)$') FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = {where}"
        f" AND indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE {of_table})"
    )
    for name, definition in found:
        yield f"{name} {definition}" if name in names else definition


def mysql_lines(read, table, names):
    for line in map(str.strip, read(f"SHOW CREATE TABLE {quote(table)}")[0][1].splitlines()[1:]):
        found = re.match(r"((?:UNIQUE |FULLTEXT |SPATIAL )?KEY|CONSTRAINT) `([^`]+)` (.*)", line)
        if found:
            kind = "" if found[1] == "CONSTRAINT" else f"{found[1]} "
            yield f"{found[2] + ' ' if found[2] in names else ''}{kind}{found[3]}"
        else:
            yield f"column {line}" if line.startswith("`") else re.sub(r"^\) | AUTO_INCREMENT=\d+", "", line)


def lines_of(cursor, table, names):
    """A table as a set of lines: its columns, constraints and indexes; of names, those that the model gives."""

    def read(sql):
        cursor.execute(sql)
        return list(cursor.fetchall())

    describe = {"sqlite": sqlite_lines, "postgresql": postgresql_lines, "mysql": mysql_lines}[connection.vendor]
    lines = {plain(line) for line in describe(read, table, names)}
    # MariaDB makes an index for each foreign key by itself, unless another one serves.
    return lines - {line.split(" REFERENCES")[0].removeprefix("FOREIGN ") for line in lines if line.startswith("FOREIGN KEY")}


def scratch_cursor():
    if connection.vendor == "sqlite":
        return connection.get_new_connection({**connection.get_connection_params(), "database": ":memory:"}).cursor()
    return connection.cursor()


def given_names(model):
    return {one.name for one in (*model._meta.indexes, *model._meta.constraints)}


def lines_made(model):
    """The lines of the table that Django would make, read from a temporary one: in memory, or seen by this connection alone."""
    keys, drop = set(), {"postgresql": f"DROP TABLE pg_temp.{SCRATCH}", "mysql": f"DROP TEMPORARY TABLE {SCRATCH}"}
    with transaction.atomic(using=connection.alias):
        cursor = scratch_cursor()
        for statement in statements(model):
            if statement.startswith("ALTER TABLE") and "FOREIGN KEY" in statement:
                keys.add(plain(statement[statement.index("FOREIGN KEY") :]))  # a temporary table can't have one
            else:
                cursor.execute(statement)
        lines = keys | lines_of(cursor, SCRATCH, given_names(model))
        if connection.vendor in drop:
            cursor.execute(drop[connection.vendor])
    return {line.replace(SCRATCH, model._meta.db_table) for line in lines}


def lines_there(model):
    with connection.cursor() as cursor:
        if model._meta.db_table in connection.introspection.table_names(cursor):
            return lines_of(cursor, model._meta.db_table, given_names(model))
    return set()


# --- comparing -------------------------------------------------------------------------------------------------------------


def differences(before, after):
    """How the tables that the migration touches differ from what it would leave, as lines for people."""
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table), after.get(table)
        if old and new and statements(old) == statements(new):
            continue
        was, will = (lines_made(model) if model else set() for model in (old, new))
        there = lines_there(new or old)
        added = columns_of(new) - columns_of(old) if old and new else set()
        about_added = {line for line in there if any(re.search(rf"\b{re.escape(column)}\b", line) for column in added)}
        extra = ((was - will) & there) | (about_added - will) if old and new else there - will
        yield from (f"  {table} lacks: {line}" for line in sorted(will - was - there))
        yield from (f"  {table} has instead or besides: {line}" for line in sorted(extra))


def not_compared(key):
    for operation in loader.graph.nodes[key].operations:
        if isinstance(operation, NOT_COMPARED) or not type(operation).__module__.startswith("django."):
            yield f"  {type(operation).__name__}: what it does leaves nothing that can be compared"


def spelled(key):
    return ".".join(key)


def shown(names):
    tables = {table for table, column in names if column is None}
    columns = [f"column {table}.{column}" for table, column in names if column and table not in tables]
    return ", ".join(sorted(f"table {table}" for table in tables) + sorted(columns))


# --- steps -----------------------------------------------------------------------------------------------------------------


def diagnose():
    """0: nothing that waits is there. 1: it is there and equal. 2: it is there and differs, or can't be compared."""
    if not clash:
        print("No waiting migration makes a table or column that is there already.")
        return OK
    print(f"{spelled(clash[0])} is not recorded, and what it makes is there already: {shown(clash[3])}")
    print("Do not run `migrate` before this is repaired.")
    if obstacles:
        print("It can't be recorded as it is:", *obstacles, sep="\n")
        return UNKNOWN
    print(f"All that it makes is there and equal.\nMIGRATION={spelled(clash[0])}")
    return FOUND


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def fix():
    if key not in loader.graph.nodes:
        return refuse(f"{spelled(key)} is not a migration of this project. Run diagnose again.")
    if key in loader.applied_migrations:
        print(f"Nothing to do: {spelled(key)} is recorded.")
        return OK
    if not clash or clash[0] != key:
        return refuse(f"{spelled(key)} is not what diagnose finds. Run diagnose again.")
    if obstacles:
        return refuse("\n".join([f"what is there is not what {spelled(key)} makes:", *obstacles]))
    with transaction.atomic(using=connection.alias):
        for row in rows_of(key):
            recorder.record_applied(*row)
    print(f"Recorded {spelled(key)}. No table was touched.")
    return OK


def undo():
    if key not in loader.graph.nodes:
        return refuse(f"{spelled(key)} is not a migration of this project.")
    if key not in loader.applied_migrations:
        print(f"Nothing to undo: {spelled(key)} is not recorded.")
        return OK
    if later := [child.key for child in loader.graph.node_map[key].children if child.key in loader.applied_migrations]:
        return refuse(f"{' '.join(map(spelled, sorted(later)))} was recorded since, and needs {spelled(key)}.")
    with transaction.atomic(using=connection.alias):
        for row in rows_of(key):
            recorder.record_unapplied(*row)
    print(f"{spelled(key)} is not recorded, as before the fix.")
    return OK


def verify():
    if key not in loader.applied_migrations:
        print(f"{spelled(key)} is not recorded.")
        return 1
    print(f"{spelled(key)} is recorded.")
    return min(diagnose(), 1)


def rows_of(key):
    """The rows of django_migrations that stand for a migration: a squashed one also has those that it replaces."""
    return [*map(tuple, loader.graph.nodes[key].replaces), key]


if __name__ != "adopt":  # another runbook imports this file for its comparison
    try:
        loader, recorder = MigrationLoader(connection), MigrationRecorder(connection)
        loader.check_consistent_history(connection)
        order = list(dict.fromkeys(key for leaf in sorted(loader.graph.leaf_nodes()) for key in loader.graph.forwards_plan(leaf)))
        key = tuple(os.environ.get("MIGRATION", "").split(".", 1))
        clash = first_clash() if os.environ["STEP"] != "undo" else None
        obstacles = [*not_compared(clash[0]), *differences(*clash[1:3])] if clash else []
    except Exception as error:
        print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
        sys.exit(UNKNOWN)
    sys.exit({"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]())
