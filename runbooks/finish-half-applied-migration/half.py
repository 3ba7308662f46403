"""Finds the migration that took effect in part, and finishes it or takes it back. STEP says what to do."""

import os
import re
import sys
from contextlib import nullcontext
from itertools import takewhile

sys.path.insert(0, ".runbook/finish-half-applied-migration")
FOUND, OK, UNKNOWN = 1, 0, 2
PROGRESS = "runbook_half_applied"
DONE, PARTLY, OPEN, UNSEEN = "took effect", "took effect in part", "did not take effect", "can't be seen"
N = r"[`\"]([^`\"]+)[`\"]"


class Refused(Exception):
    """Nothing was changed; the message says why."""


# --- what a statement has done -------------------------------------------------------------------------------------


def tables():
    return set(connection.introspection.table_names())


def columns(table):
    with connection.cursor() as cursor:
        look = connection.introspection
        return {each.name for each in look.get_table_description(cursor, table)} if table in tables() else set()


def names(table):
    """The names of the table's indexes and constraints."""
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, table)) if table in tables() else set()


def index_is_there(name, table):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [quote(name)])
            if cursor.fetchone():
                raise Refused(f"the index {name} is invalid. Run DROP INDEX CONCURRENTLY {quote(name)}, then diagnose again.")
    return name in names(table)


# What Django's schema editor writes, and how to see that it was done. What is not here can be done again without harm.
FORMS = (
    (rf"CREATE TABLE {N}", lambda table: table in tables()),
    (rf"DROP TABLE {N}", lambda table: table not in tables()),
    (rf"ALTER TABLE {N} RENAME TO {N}", lambda old, new: new in tables()),
    (rf"RENAME TABLE {N} TO {N}", lambda old, new: new in tables()),
    (rf"ALTER TABLE {N} ADD COLUMN {N}", lambda table, name: name in columns(table)),
    (rf"ALTER TABLE {N} DROP COLUMN {N}", lambda table, name: name not in columns(table)),
    (rf"ALTER TABLE {N} RENAME COLUMN {N} TO {N}", lambda table, old, new: new in columns(table)),
    (rf"ALTER TABLE {N} ADD CONSTRAINT {N}", lambda table, name: name in names(table)),
    (rf"(?:SET CONSTRAINTS \S+ IMMEDIATE; )?ALTER TABLE {N} DROP (?:CONSTRAINT|FOREIGN KEY|INDEX) {N}", lambda table, name: name not in names(table)),
    (rf"ALTER TABLE {N} RENAME INDEX {N} TO {N}", lambda table, old, new: new in names(table)),
    (rf"CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?{N} ON {N}", index_is_there),
    (rf"DROP INDEX {N} ON {N}", lambda name, table: name not in names(table)),
)


def is_done(statement):
    """Whether the effect of a statement is there; None when nothing shows it, and then it can be repeated."""
    for form, seen in FORMS:
        if found := re.match(form, statement):
            return seen(*found.groups())
    return None


# --- what an operation has done ------------------------------------------------------------------------------------


class Step:
    """An operation of the migration with the states around it."""

    def __init__(self, number, operation, before, after):
        self.number, self.operation, self.before, self.after = number, operation, before, after
        self.text = f"{number}. {operation.describe()}"
        self.opaque, self.repeatable = not can_be_seen(operation), False

    def statements(self, editor, back=False):
        """The SQL of the operation; the editor keeps what Django runs at the end of the migration."""
        editor.collected_sql = []
        if back:
            self.operation.database_backwards(APP, editor, self.after, self.before)
        else:
            self.operation.database_forwards(APP, editor, self.before, self.after)
        return [each.rstrip(";") for each in editor.collected_sql if not each.startswith("--")]

    def effects(self, statements, back=False):
        """[True, False or None] for each statement; a table that SQLite makes anew is compared as a whole."""
        if not any('"new__' in each for each in statements):
            return [is_done(each) for each in statements]
        old, new = (adopt.models_of(state) for state in ((self.after, self.before) if back else (self.before, self.after)))
        changed = [t for t in new if t in old and adopt.statements(old[t]) != adopt.statements(new[t])]
        return [all(adopt.lines_made(new[t]) - adopt.lines_made(old[t]) <= adopt.lines_there(new[t]) for t in changed)]

    def status(self, editor):
        if self.opaque:
            return UNSEEN
        try:
            effects = set(self.effects(self.statements(editor)))
        except (DatabaseError, LookupError, ValueError):  # its table is not there
            return OPEN
        self.repeatable = None in effects
        if effects <= {None}:
            return UNSEEN
        return {frozenset({True}): DONE, frozenset({False}): OPEN}.get(frozenset(effects - {None}), PARTLY)


def can_be_seen(operation):
    if isinstance(operation, operations.SeparateDatabaseAndState):
        return all(map(can_be_seen, operation.database_operations))
    return type(operation).__module__.startswith("django.") and not isinstance(operation, (operations.RunPython, operations.RunSQL))


def steps_of(key, state):
    steps = []
    for number, operation in enumerate(loader.graph.nodes[key].operations, 1):
        before, state = state, state.clone()
        operation.state_forwards(key[0], state)
        steps.append(Step(number, operation, before, state))
    return steps


def state_before(key):
    """The state of all that is recorded, and of what has to run before the migration."""
    state, order = ProjectState(real_apps=loader.unmigrated_apps), loader.graph.forwards_plan(key)
    for leaf in sorted(loader.graph.leaf_nodes()):
        order += [each for each in loader.graph.forwards_plan(leaf) if each in loader.applied_migrations]
    for each in dict.fromkeys(order):
        if each != key:
            loader.graph.nodes[each].mutate_state(state, preserve=False)
    return state


def collecting():
    editor = connection.schema_editor(collect_sql=True, atomic=False)
    editor.deferred_sql = []  # entering the editor would make it, and leaving it would empty it
    return editor


def ran_by_fix(key):
    """The numbers of the operations without a visible effect that an earlier fix ran to the end."""
    if PROGRESS not in tables():
        return set()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT operation FROM {PROGRESS} WHERE migration = %s", [".".join(key)])
        return {number for (number,) in cursor.fetchall()}


# --- diagnose --------------------------------------------------------------------------------------------------------


def waiting():
    plan = dict.fromkeys(key for leaf in sorted(loader.graph.leaf_nodes()) for key in loader.graph.forwards_plan(leaf))
    ready = [key for key in plan if key not in loader.applied_migrations]
    return [key for key in ready if not any(parent in ready for parent in loader.graph.node_map[key].parents)]


def look_at(key):
    """(steps, {number: status}) of a migration that is not recorded."""
    global APP
    APP, editor = key[0], collecting()
    steps = steps_of(key, state_before(key))
    return steps, {step.number: step.status(editor) for step in steps}


def half_applied():
    for key in waiting():
        steps, status = look_at(key)
        if {DONE, PARTLY} & set(status.values()):
            return key, steps, status
    return None


def first_to_run(steps, status):
    """(the number of the operation to go on from, the operations of which only a person knows whether they ran)."""
    last = max(number for number, each in status.items() if each in (DONE, PARTLY))
    whole = status[last] == DONE and not steps[last - 1].repeatable
    unseen = list(takewhile(lambda step: status[step.number] == UNSEEN, steps[last:]))
    return last + whole, [step for step in unseen if step.opaque]


def out_of_order(status):
    last = max(number for number, each in status.items() if each in (DONE, PARTLY))
    return [number for number, each in status.items() if number < last and each in (OPEN, PARTLY)]


def diagnose():
    found = half_applied()
    if not found:
        print("No migration that waits took effect in part.")
        return OK
    key, steps, status = found
    print(f"{'.'.join(key)} is not recorded, and part of it is there:")
    for step in steps:
        print(f"  {step.text}: {status[step.number]}")
    if wrong := out_of_order(status):
        print(f"Operation {wrong[0]} did not take effect and a later one did: a person changed the schema. Bring it into line by hand.")
        return UNKNOWN
    first, unknown = first_to_run(steps, status)
    chosen = os.environ.get("REPAIR", "")
    if unknown and not chosen:
        print("The schema does not show whether these ran. Read the error of the first `migrate`, and set REPAIR:")
        print(f"  finish from {unknown[0].number}: run {unknown[0].text}")
        print(f"  finish from {unknown[-1].number + 1}: they ran to the end")
        return UNKNOWN
    print(f"APP={key[0]}\nNAME={key[1]}\nREPAIR={chosen or f'finish from {first}'}")
    return FOUND


# --- fix ---------------------------------------------------------------------------------------------------------------


def checked_migration():
    key = (os.environ.get("APP", ""), os.environ.get("NAME", ""))
    if key not in loader.graph.nodes:
        raise Refused(f"{'.'.join(key)} is not a migration of this project.")
    return key


def first_of(repair, steps, status):
    """The number that REPAIR names, after checking that the schema allows to go on from there."""
    found = re.fullmatch(r"finish from (\d+)", repair)
    if not found or not 1 <= int(found[1]) <= len(steps) + 1:
        raise Refused(f"REPAIR is {repair!r}. Write `finish from <number of an operation>` or `take back`.")
    first = int(found[1])
    if missing := [n for n, each in status.items() if n < first and each in (OPEN, PARTLY)]:
        raise Refused(f"operation {missing[0]} is before {first} and did not take effect. Run diagnose again.")
    return first


def run(statements, effects):
    """Run those whose effect is not there: in one transaction where the database can, one by one where it can't."""
    whole = len(effects) != len(statements)
    left = statements if whole else [each for each, done in zip(statements, effects, strict=True) if not done]
    concurrently = any("CONCURRENTLY" in each for each in left)
    if left and {False, None} & set(effects):
        with connection.schema_editor(atomic=not concurrently) as editor:
            for statement in left:
                editor.execute(statement, None)


def drop_unfinished_copies():
    """Where SQLite was stopped while it made a table anew, the table is there and a part of its copy too."""
    for table in tables() if connection.vendor == "sqlite" else ():
        if f"new__{table}" in tables():
            with connection.schema_editor() as editor:
                editor.execute(f"DROP TABLE {quote(f'new__{table}')}", None)


def run_unseen(step, key):
    """Run Python or SQL together with a note that it ran, so that a fix which is killed does not run it twice."""
    together = connection.features.can_rollback_ddl or isinstance(step.operation, operations.RunPython)
    with connection.schema_editor(atomic=True) as editor, transaction.atomic(connection.alias) if together else nullcontext():
        step.operation.database_forwards(APP, editor, step.before, step.after)
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {PROGRESS} (migration, operation) VALUES (%s, %s)", [".".join(key), step.number])


def finish(key, steps, status):
    first, late = first_of(os.environ.get("REPAIR", ""), steps, status), collecting()
    drop_unfinished_copies()
    ran = ran_by_fix(key)
    if any(step.opaque and step.number >= first for step in steps) and PROGRESS not in tables():
        with connection.schema_editor() as editor:
            editor.execute(f"CREATE TABLE {PROGRESS} (migration varchar(200) NOT NULL, operation integer NOT NULL)", None)
    for step in steps:
        if step.opaque and step.number >= first and step.number not in ran:
            run_unseen(step, key)
        elif not step.opaque:
            statements = step.statements(late)
            if step.number >= first:
                run(statements, step.effects(statements))
    last = [str(each) for each in late.deferred_sql]
    run(last, [is_done(each) for each in last])
    compare(steps[0].before, steps[-1].after)
    recorder.record_applied(*key)
    print(f"Finished {'.'.join(key)} and recorded it.")


def take_back(key, steps, status):
    done = [step for step in steps if status[step.number] in (DONE, PARTLY)]
    if any(step.opaque and step.number < done[-1].number for step in steps):
        raise Refused("Python or SQL ran in between: finish the migration, then roll it back.")
    if stuck := [step.text for step in done if not step.operation.reversible]:
        raise Refused(f"{stuck[0]} has no way back.")
    if losses := [loss for step in done for loss in values_lost(step)]:
        raise Refused(f"{', '.join(losses)} would be lost. Finish the migration instead.")
    editor = collecting()
    drop_unfinished_copies()
    for step in reversed(done):
        statements = step.statements(editor, back=True)
        run(statements, step.effects(statements, back=True))
    compare(steps[-1].after, steps[0].before)
    print(f"Took back what {'.'.join(key)} had done. Run migrate once its cause is gone.")


def values_lost(step):
    """What people have stored since in the tables and columns that the operation made."""
    for statement in step.statements(collecting()):
        made = re.match(rf"CREATE TABLE (?!.new__){N}", statement)
        if made and made[1] in tables() and (rows := number_of(f"SELECT COUNT(*) FROM {quote(made[1])}")):
            yield f"{rows} rows of {made[1]}"
    old, new = adopt.models_of(step.before), adopt.models_of(step.after)
    for table in old.keys() & new.keys():
        for name in sorted((adopt.columns_of(new[table]) - adopt.columns_of(old[table])) & columns(table)):
            values = f"SELECT COUNT(*) FROM (SELECT {quote(name)} FROM {quote(table)} GROUP BY 1) AS found"
            if number_of(values) > 1:
                yield f"the values of {table}.{name}"


def number_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def compare(before, after):
    """Raises Refused unless the tables are what they are to be."""
    if wrong := list(adopt.differences(adopt.models_of(before), adopt.models_of(after))):
        raise Refused("\n".join(["the schema is not yet what it must be; nothing was recorded:", *wrong]))


def fix():
    key = checked_migration()
    if key in loader.applied_migrations:
        print(f"Nothing to do: {'.'.join(key)} is recorded.")
    elif key not in waiting():
        raise Refused(f"a migration that {'.'.join(key)} needs is not recorded.")
    else:
        steps, status = look_at(key)
        if not {DONE, PARTLY} & set(status.values()):
            print(f"Nothing to do: nothing of {'.'.join(key)} is there.")
        elif out_of_order(status):
            raise Refused("an operation in the middle did not take effect. Run diagnose again.")
        elif os.environ.get("REPAIR") == "take back":
            take_back(key, steps, status)
        else:
            finish(key, steps, status)
    if PROGRESS in tables():
        with connection.schema_editor() as editor:
            editor.execute(f"DROP TABLE {PROGRESS}", None)
    return OK


def verify():
    key = checked_migration()
    recorded = key in loader.applied_migrations
    print(f"{'.'.join(key)} is {'recorded' if recorded else 'not recorded'}.")
    return min(diagnose(), 1)


try:
    import adopt
    from django.db import DatabaseError, transaction
    from django.db.migrations import operations
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder
    from django.db.migrations.state import ProjectState

    connection, quote = adopt.connection, adopt.quote
    loader, recorder = MigrationLoader(connection), MigrationRecorder(connection)
    loader.check_consistent_history(connection)
    step = {"diagnose": diagnose, "fix": fix, "verify": verify}[os.environ["STEP"]]
    status = step()
except Refused as why:
    print(f"Refused: {why}", file=sys.stderr)
    status = UNKNOWN if os.environ["STEP"] == "diagnose" else 1
except Exception as error:
    print(f"Stopped: {type(error).__name__}: {error}\nRun diagnose: it says what is there now.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
