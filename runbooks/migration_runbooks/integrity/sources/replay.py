"""Replay the recorded migrations in the scratch database that the connection of this alias now leads to."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from django.apps import apps
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import override_settings

from migration_runbooks.integrity.finding import Unreadable
from migration_runbooks.integrity.schema import read_schema
from migration_runbooks.integrity.sources.expected import Expected, Step
from migration_runbooks.integrity.sources.files import Files, Name

STEPS_TRIED = 100
"""How many operations of migrations that are not recorded are tried: enough for what one deployment brings."""


class Replay(MigrationExecutor):
    """Django's executor, told which migrations to run by a graph that was read with the real history."""

    def __init__(self, alias: str, files: Files, recorded: set[Name]) -> None:
        super().__init__(connections[alias])
        self.order = files.order
        self.recorded = recorded
        self.loader = copy.copy(files.loader)
        self.loader.applied_migrations = {}

    def run(self) -> Expected:
        """Return the schema that the recorded migrations make, and what each operation of the others would change.

        Raises Unreadable when a migration can't be applied to an empty database.
        """
        recorded = [name for name in self.order if name in self.recorded]
        wanted = set(recorded).union(*(self.loader.graph.forwards_plan(name) for name in recorded))
        before, after = self.unmigrated()
        self.create(before)
        state = self.apply([name for name in self.order if name in wanted])
        self.create(after)
        schema, owners = read_schema(self.connection), self.owners(state)
        steps, stopped = self.try_steps(state, [name for name in self.order if name not in wanted], schema)
        return Expected(schema, owners, steps, stopped)

    def apply(self, names: list[Name]):
        self.recorder.ensure_schema()
        plan = [(self.loader.graph.nodes[name], False) for name in names]
        current = ""

        def progress(action, migration=None, fake=None):
            nonlocal current
            current = str(migration) if migration else current

        self.progress_callback = progress
        try:
            return self.migrate(None, plan=plan, state=self._create_project_state())
        except Exception as error:  # whatever a migration of the reader's raises
            reason = f"{current} can't be applied to an empty database: {type(error).__name__}: {error}".strip()
            raise Unreadable("the expected schema", reason) from error

    def unmigrated(self) -> tuple[list, list]:
        """Return the models of the apps without migrations: those that migrations may point to, and those that point to migrated ones."""
        models = [model for label in sorted(self.loader.unmigrated_apps) for model in self.models_of(label)]
        pointing = [model for model in models if self.targets(model) - self.loader.unmigrated_apps]
        return [model for model in models if model not in pointing], pointing

    def targets(self, model) -> set[str]:
        fields = [*model._meta.local_fields, *model._meta.local_many_to_many]
        return {field.related_model._meta.app_label for field in fields if field.related_model}

    def create(self, models: list) -> None:
        with self.connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)

    def models_of(self, label: str):
        models = router.get_migratable_models(apps.get_app_config(label), self.connection.alias)
        return [model for model in models if model._meta.can_migrate(self.connection)]

    def owners(self, state) -> dict[str, str]:
        models = [*apps.get_models(include_auto_created=True), *state.apps.get_models(include_auto_created=True)]
        return {model._meta.db_table: model._meta.app_label for model in models}

    def try_steps(self, state, names: list[Name], before) -> tuple[list[Step], str]:
        steps: list[Step] = []
        for name in names:
            migration = self.loader.graph.nodes[name]
            for operation in migration.operations:
                if len(steps) == STEPS_TRIED:
                    return steps, f"more than {STEPS_TRIED} operations are not applied"
                try:
                    state = self.try_operation(state, migration, operation)
                except Exception as error:
                    return steps, f"{name[0]}.{name[1]}: {type(error).__name__}: {error}".strip()
                after = read_schema(self.connection)
                old, new = before.facts(), after.facts()
                steps.append(Step(*name, operation.describe(), new - old, old - new))
                before = after
        return steps, ""

    def try_operation(self, state, migration, operation):
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        with self.connection.schema_editor(atomic=migration.atomic) as editor:
            operation.database_forwards(migration.app_label, editor, state, after)
        return after


def replay(alias: str, files: Files, recorded: set[Name]) -> Expected:
    """Return the schema that the recorded migrations make. Raises Unreadable when one of them can't be applied."""
    with quiet():
        return Replay(alias, files, recorded).run()


@contextmanager
def quiet() -> Iterator[None]:
    """What migrations print is not ours to show, and no mail of theirs may leave."""
    no_mail = override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), no_mail:
        yield
