"""Finds out which migrations really ran, by the traces that they left in the schema. STEP says what to do about it."""

import os
import sys

from django.db import connections, router, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState, StateApps
from django.db.migrations.utils import resolve_relation

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
FOUND, OK, UNKNOWN = 1, 0, 2
NONE = (set(), set())


def load():
    """The migrations, in an order in which they can run, and the rows of django_migrations."""
    loader = MigrationLoader(connection)
    loader.check_consistent_history(connection)
    order = list(dict.fromkeys(key for leaf in sorted(loader.graph.leaf_nodes()) for key in loader.graph.forwards_plan(leaf)))
    return loader, order, set(MigrationRecorder(connection).applied_migrations())


def plain(one):
    """Whether every database that Django knows makes this index or constraint under its name."""
    return not any(getattr(one, each, None) for each in ("condition", "expressions", "include", "deferrable"))


def traces_of(model):
    """(tables and columns, finer things) that the model means in the database; the finer ones break ties only."""
    meta, columns = model._meta, [field for field in model._meta.local_concrete_fields if field.column]
    coarse = {("table", meta.db_table)} | {("column", f"{meta.db_table}.{field.column}") for field in columns}
    finer = {("NULL" if field.null else "NOT NULL", f"{meta.db_table}.{field.column}") for field in columns if not field.primary_key}
    finer |= {("index or constraint", f"{meta.db_table}.{one.name}") for one in [*meta.indexes, *meta.constraints] if plain(one)}
    return coarse, finer


def traces_in(apps, label):
    """The same of all models of an app as they are in `apps`."""
    models = apps.get_models(include_auto_created=True, include_swapped=False)
    own = [m for m in models if m._meta.app_label == label and m._meta.managed and not m._meta.proxy]
    pairs = [traces_of(model) for model in own if router.allow_migrate_model(connection.alias, model)]
    return tuple(set().union(*each) for each in zip(*pairs, strict=True)) or NONE


def apps_of(state, label):
    """The models of an app as they are in `state`, with the few others without which Django makes other tables for them."""
    keys = [key for key in state.models if key[0] == label]
    for key in keys:  # grows on the way
        model = state.models[key]
        near = [base for base in model.bases if isinstance(base, str)]
        if not model.options.get("managed", True):  # then the other side says who makes the table between them
            near += [field.remote_field.model for field in model.fields.values() if field.many_to_many]
        keys += {resolve_relation(each, *key) for each in near} & state.models.keys() - set(keys)
    apps = StateApps(state.real_apps, {})
    apps.render_multiple([state.models[key] for key in keys])
    return apps


def walk():
    """{app: [(coarse, finer) before its first migration, after its first, …]} if all migrations run one after the other."""
    state, found = ProjectState(real_apps=loader.unmigrated_apps), {}
    for key in order:
        state = loader.graph.nodes[key].mutate_state(state, preserve=False)
        found.setdefault(key[0], [NONE]).append(traces_in(apps_of(state, key[0]), key[0]))
    return found


def made_by(keys):
    """{app: (coarse, finer)} after exactly these migrations."""
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for key in keys:
        state = loader.graph.nodes[key].mutate_state(state, preserve=False)
    return {label: traces_in(state.apps, label) for label in {key[0] for key in keys}}


def live_traces(known):
    """The same of the database; indexes and constraints only of tables of which `known` holds any."""
    coarse, finer = set(), set()
    indexed = [name for kind, name in known if kind == "index or constraint"]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            coarse.add(("table", table))
            for column in connection.introspection.get_table_description(cursor, table):
                coarse.add(("column", f"{table}.{column.name}"))
                finer.add(("NULL" if column.null_ok else "NOT NULL", f"{table}.{column.name}"))
            if any(name.startswith(f"{table}.") for name in indexed):
                finer |= {("index or constraint", f"{table}.{name}") for name in connection.introspection.get_constraints(cursor, table)}
    return coarse, finer


class App:
    """The migrations of one app in their order, and after how many of them the schema would be as it is."""

    def __init__(self, label, steps, recorded_traces, live):
        self.label, self.keys = label, [key for key in order if key[0] == label]
        known = [set().union(*(step[level] for step in steps)) for level in (0, 1)]
        self.live = [live[level] & known[level] for level in (0, 1)]
        ranks = [self.rank(step) for step in steps]
        self.recorded_traces, best = recorded_traces, min(ranks)
        self.fits = best[0] == 0
        self.healthy = self.fits and self.rank(recorded_traces) <= best
        self.low, self.high = ranks.index(best), len(ranks) - 1 - ranks[::-1].index(best)
        self.closest = steps[self.low]

    def rank(self, traces):
        return tuple(len(traces[level] ^ self.live[level]) for level in (0, 1))

    def undecided(self):
        """Migrations that leave no trace, at the place where the schema changes from done to not done."""
        return set() if self.healthy else set(self.keys[self.low : self.high])

    def decided(self, nodes):
        """`nodes` of this app, made to fit the schema; what the schema does not decide stays as it is recorded."""
        if self.healthy:
            return nodes & set(self.keys)
        return set(self.keys[: self.low]) | (set(self.keys[: self.high]) & nodes)

    def lines(self):
        level = 0 if self.rank(self.recorded_traces)[0] else 1
        for kind, name in sorted(self.live[level] - self.recorded_traces[level]):
            yield f"  {kind} {name} is there, though no recorded migration makes it"
        for kind, name in sorted(self.recorded_traces[level] - self.live[level]):
            yield f"  {kind} {name} is not there, though a recorded migration makes it"


def rows_of(key):
    """The rows of django_migrations that stand for a migration: a squashed one also has those that it replaces."""
    return {key, *map(tuple, loader.graph.nodes[key].replaces)}


def nodes_in(rows):
    return {key for key in order if key in rows or (loader.graph.nodes[key].replaces and rows_of(key) - {key} <= rows)}


def examine():
    recorded = nodes_in(rows)
    full, now = walk(), made_by([key for key in order if key in recorded])
    live = live_traces({trace for steps in full.values() for _, finer in steps for trace in finer})
    return recorded, [App(label, steps, now.get(label, NONE), live) for label, steps in sorted(full.items())]


def truth(recorded):
    """What really ran; an undecided migration goes with those that it needs."""
    nodes = set().union(*(app.decided(recorded) for app in apps)) if apps else set()
    undecided = set().union(*(app.undecided() for app in apps)) if apps else set()
    for key in order:
        missing = {parent for parent in loader.graph.forwards_plan(key) if parent not in nodes}
        if key in nodes and missing - undecided and key in undecided:
            nodes.discard(key)
        elif key in nodes:
            nodes |= missing & undecided
    return nodes


def objections(nodes):
    """Why the schema can't be the one after exactly `nodes`."""
    lines = [f"{label}: the schema is that of none of its migrations" for label in (app.label for app in apps if not app.fits)]
    for app in apps:
        own, expected = nodes & set(app.keys), app.decided(nodes)
        lines += [f"{named({key})} can't be {'recorded' if key in own else 'left out'}: the schema says otherwise" for key in own ^ expected]
    lines += [f"{named({key})} needs {named(missing)}" for key in nodes if (missing := set(loader.graph.forwards_plan(key)) - nodes)]
    return lines


def named(keys):
    place = {key: number for number, key in enumerate(order)}
    return " ".join(f"{app}.{name}" for app, name in sorted(keys, key=lambda key: (place.get(key, -1), key)))


def parse(name):
    return {tuple(label.split(".", 1)) for label in os.environ[name].split()}


def diagnose():
    """0: the history agrees with the schema. 1: RECORD and REMOVE make it agree. 2: nothing does."""
    wrong = [app for app in apps if not app.healthy]
    if not wrong:
        print("The recorded migrations agree with the schema: no migration was faked wrongly.")
        return OK
    for app in wrong:
        print(f"{app.label}:", *app.lines(), sep="\n")
    real = truth(recorded)
    if lines := objections(real):
        print("Can't tell what really ran:", *(f"  {line}" for line in lines), sep="\n")
        return UNKNOWN
    ran, never = real - recorded, recorded - real
    if ran:
        print(f"Ran, but not recorded: {named(ran)}\nDo not run `migrate` now: it would run them again.")
    if never:
        print(f"Recorded, but never ran: {named(never)}")
    if unsure := set().union(*(app.undecided() for app in wrong)):
        print(f"Nothing in the schema shows whether these ran, so they stay as they are: {named(unsure)}")
    record, remove = ({row for key in keys for row in rows_of(key)} for keys in (ran, never))
    print(f"RECORD={named(record - rows)}\nREMOVE={named(remove & rows)}")
    return FOUND


def fix():
    record, remove = parse("RECORD"), parse("REMOVE")
    if all(app.healthy for app in apps):
        print("Nothing to do: the recorded migrations agree with the schema.")
        return OK
    real_rows = {row for key in order for row in rows_of(key)}
    lines = [f"not a migration of this project: {named({row})}" for row in (record | remove) - real_rows]
    if not lines:
        lines = objections(nodes_in((rows | record) - remove))
    if lines:
        print("Refused, nothing was changed:", *(f"  {line}" for line in lines), "Run diagnose again, and set what it prints.", sep="\n", file=sys.stderr)
        return 1
    write(record - rows, remove & rows)
    print(f"Recorded {len(record - rows)}, removed {len(remove & rows)} rows of django_migrations.")
    return OK


def undo():
    record, remove = parse("RECORD"), parse("REMOVE")
    if not record & rows and remove <= rows:
        print("Nothing to undo: the history is as it was before the fix.")
        return OK
    if not record <= rows or remove & rows:
        print("Refused, nothing was changed: the history is not what the fix with these values leaves.", file=sys.stderr)
        return 1
    write(remove, record)
    print("The history is as it was before the fix.")
    return OK


def write(record, remove):
    recorder = MigrationRecorder(connection)
    with transaction.atomic(using=connection.alias):
        for key in sorted(record, key=lambda each: (order.index(each) if each in order else -1, each)):
            recorder.record_applied(*key)
        for key in sorted(remove):
            recorder.record_unapplied(*key)


def verify():
    lines = [line for app in apps if not app.healthy for line in (f"{app.label}:", *app.lines())]
    print(*lines or ["The recorded migrations agree with the schema."], sep="\n")
    return 1 if lines else OK


try:
    loader, order, rows = load()
    recorded, apps = examine() if os.environ["STEP"] != "undo" else (set(), [])
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
    sys.exit(UNKNOWN)
sys.exit({"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]())
