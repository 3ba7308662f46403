"""What unapplying migrations destroys: the columns and tables that they added, under the names they have now."""

from __future__ import annotations

import os
from dataclasses import dataclass

from django.db import connections, router
from django.db.migrations import AddField, CreateModel, RenameField, RenameModel, SeparateDatabaseAndState

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]


@dataclass(frozen=True)
class Loss:
    """A table that goes (`field` is None), or one column of it."""

    migration: str
    model: type
    field: object = None

    def __str__(self) -> str:
        label = self.model._meta.db_table
        return f"column {label}.{self.field.column}" if self.field else f"table {label}"

    def fields(self) -> list:
        fields = [self.field] if self.field else self.model._meta.local_concrete_fields
        return [each for each in fields if not getattr(each, "generated", False)]


def present_state(loader):
    """The models as the applied migrations describe them."""
    return loader.project_state([node for node in loader.applied_migrations if node in loader.graph.nodes])


def steps(operations):
    for operation in operations:
        yield from steps(operation.database_operations) if isinstance(operation, SeparateDatabaseAndState) else [operation]


def present_name(app, model, field, later):
    """Follow the renames that came after; names are lower case."""
    for migration in later:
        for operation in steps(migration.operations) if migration.app_label == app else []:
            if isinstance(operation, RenameModel) and operation.old_name_lower == model:
                model = operation.new_name_lower
            if isinstance(operation, RenameField) and (operation.model_name_lower, operation.old_name_lower) == (model, field):
                field = operation.new_name_lower
    return model, field


def losses_of(plan, state) -> list[Loss]:
    """What unapplying `plan` (newest first) destroys, oldest first; what is gone already is left out."""
    forward = list(reversed(plan))
    found, tables = [], set()
    for at, migration in enumerate(forward):
        for operation in steps(migration.operations):
            if not isinstance(operation, (AddField, CreateModel)):
                continue
            names = (operation.name_lower, None) if isinstance(operation, CreateModel) else (operation.model_name_lower, operation.name_lower)
            model_name, field_name = present_name(migration.app_label, *names, forward[at:])
            if (migration.app_label, model_name) not in state.models:
                continue
            model = state.apps.get_model(migration.app_label, model_name)
            if model._meta.can_migrate(connection) and router.allow_migrate_model(connection.alias, model) and model not in tables:
                new = list(lost_with(str(migration), model, field_name))
                found += new
                tables |= {loss.model for loss in new if not loss.field}
    return found


def lost_with(migration: str, model, field_name):
    if field_name is None:
        yield Loss(migration, model)
        many = model._meta.local_many_to_many
    else:
        fields = {each.name.lower(): each for each in [*model._meta.local_fields, *model._meta.local_many_to_many]}
        field = fields.get(field_name)
        many = [field] if field is not None and field.many_to_many else []
        if field is not None and field.column and not many:
            yield Loss(migration, model, field)
    for field in many:
        if field.remote_field.through._meta.auto_created:
            yield Loss(migration, field.remote_field.through)


def missing_parts(losses: list[Loss]) -> list[Loss]:
    """Losses that happened already: the database has no such table or column."""
    with connection.cursor() as cursor:
        columns, tables = {}, {loss.model._meta.db_table for loss in losses}
        for table in tables.intersection(connection.introspection.table_names(cursor)):
            columns[table] = {each.name for each in connection.introspection.get_table_description(cursor, table)}
    return [
        loss for loss in losses
        if loss.model._meta.db_table not in columns
        or (loss.field and loss.field.column not in columns[loss.model._meta.db_table])
    ]


def recreate(losses: list[Loss]) -> None:
    """Make the tables and columns again, empty: a rollback can start anew, its values are saved."""
    made = set()
    for loss in losses:
        if loss.model in made:
            continue
        with connection.schema_editor() as editor:
            editor.add_field(loss.model, loss.field) if loss.field else editor.create_model(loss.model)
        if not loss.field:  # create_model makes the tables of its many-to-many fields as well
            made |= {field.remote_field.through for field in loss.model._meta.local_many_to_many}


def drop(losses: list[Loss]) -> None:
    """Take away tables and columns that hold nothing but what their migration put there."""
    for loss in reversed(losses):
        with connection.schema_editor() as editor:
            if loss.field:
                editor.remove_field(loss.model, loss.field)
            else:
                editor.execute(editor.sql_delete_table % {"table": editor.quote_name(loss.model._meta.db_table)})


def rows_that_count(loss: Loss) -> int:
    """Rows of the table, or those whose column isn't NULL."""
    rows = loss.model._base_manager.using(connection.alias)
    return rows.exclude(**{f"{loss.field.name}__isnull": True}).count() if loss.field else rows.count()
