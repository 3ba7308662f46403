"""What the migrations that wait would do, one operation after the other, with the models before and after it."""

from dataclasses import dataclass

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL
from django.db.migrations.state import ProjectState


@dataclass(frozen=True)
class Step:
    app: str
    name: str
    operation: object
    before: ProjectState
    after: ProjectState
    code: tuple
    """Names of the waiting migrations that run Python or SQL before this operation: what they do can't be read."""

    @property
    def migration(self):
        return f"{self.app}.{self.name}"

    def fields(self):
        """The altered field before and after, not bound to a model; only for an AlterField."""
        key, name = (self.app, self.operation.model_name_lower), self.operation.name
        return self.before.models[key].get_field(name), self.after.models[key].get_field(name)

    def model(self, state):
        return state.apps.get_model(self.app, self.operation.model_name)


def waiting_steps(connection):
    """Every operation of every waiting migration, in the order of `migrate`. Raises when the history is inconsistent."""
    loader = MigrationLoader(connection)
    loader.check_consistent_history(connection)
    order = dict.fromkeys(key for leaf in sorted(loader.graph.leaf_nodes()) for key in loader.graph.forwards_plan(leaf))
    state, code = ProjectState(real_apps=loader.unmigrated_apps), ()
    for key in (key for key in order if key in loader.applied_migrations):
        loader.graph.nodes[key].mutate_state(state, preserve=False)
    for key in (key for key in order if key not in loader.applied_migrations):
        for operation in loader.graph.nodes[key].operations:
            before, state = state, state.clone()
            operation.state_forwards(key[0], state)
            yield Step(*key, operation, before, state, code)
            if isinstance(operation, (RunPython, RunSQL)) and ".".join(key) not in code:
                code = (*code, ".".join(key))


def live_columns(connection, table):
    """{column: may be NULL} of a table of the database; empty when there is no such table."""
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return {}
        return {column.name: column.null_ok for column in connection.introspection.get_table_description(cursor, table)}
