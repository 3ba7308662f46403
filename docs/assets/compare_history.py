from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

look, loader = connection.introspection, MigrationLoader(connection)
graph, recorded = loader.graph, loader.applied_migrations
order = list(dict.fromkeys(key for leaf in sorted(graph.leaf_nodes()) for key in graph.forwards_plan(leaf)))
with connection.cursor() as cursor:
    real = {(table, column.name) for table in look.table_names(cursor)
            for column in look.get_table_description(cursor, table)}


def steps(keys):
    """Each migration with the columns that it makes, and all columns after it."""
    state, before = ProjectState(real_apps=loader.unmigrated_apps), set()
    for key in keys:
        state = graph.nodes[key].mutate_state(state)
        models = [model for model in state.apps.get_models(include_auto_created=True) if model._meta.managed]
        after = {(model._meta.db_table, field.column) for model in models for field in model._meta.local_concrete_fields}
        yield key, after - before, after
        before = after


def shown(columns):
    return " ".join(".".join(column) for column in sorted(columns))


done = list(steps(key for key in order if key in recorded))
needed = done[-1][2] if done else set()
print(f"Database {connection.alias}: {connection.vendor}, {connection.settings_dict['NAME']}, {len(done)} migrations recorded")
for key, made, _ in done:
    if missing := (made & needed) - real:
        print(".".join(key), "is recorded, and these do not exist:", shown(missing))
for key, made, _ in steps(order):
    if key not in recorded:
        print(".".join(key), "waits" + (f", and these exist: {shown(made & real)}" if made & real else ""))
