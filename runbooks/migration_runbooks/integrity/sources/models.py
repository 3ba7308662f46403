"""The schema that today's models ask for: what can be expected without a scratch database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models, router
from django.db.migrations.recorder import MigrationRecorder

from migration_runbooks.integrity.schema import Column, Key, Schema
from migration_runbooks.integrity.sources.expected import Expected

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

UNSEEN = "types, lengths, defaults, collations, indexes and checks, and tables that only migrations make"


def expected_of_models(connection: BaseDatabaseWrapper) -> Expected:
    schema, owners = Schema(), {MigrationRecorder.Migration._meta.db_table: "migrations"}
    add_model(schema, connection, MigrationRecorder.Migration)
    for config in apps.get_app_configs():
        for model in router.get_migratable_models(config, connection.alias, include_auto_created=True):
            owners[model._meta.db_table] = config.label
            if model._meta.can_migrate(connection):
                add_model(schema, connection, model)
    return Expected(schema, owners, whole=False)


def add_model(schema: Schema, connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    table = schema.table(model._meta.db_table)
    for field in model._meta.local_concrete_fields:
        if field.db_type(connection) is not None:
            table.columns[field.column] = Column(field.column, "", field.null)
        if field.remote_field and getattr(field, "db_constraint", False):
            target = field.target_field
            place = (target.model._meta.db_table, (target.column,))
            table.keys.append(Key("foreign key", "", (field.column,), "", target=place))
        if field.unique and not field.primary_key:
            table.keys.append(Key("unique", "", (field.column,), ""))
    for names in unique_sets(model):
        columns = tuple(model._meta.get_field(name).column for name in names)
        table.keys.append(Key("unique", "", columns, ""))


def unique_sets(model: type[models.Model]) -> list[tuple[str, ...]]:
    whole = [c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint) and c.fields and not c.condition]
    return [*model._meta.unique_together, *(constraint.fields for constraint in whole)]
