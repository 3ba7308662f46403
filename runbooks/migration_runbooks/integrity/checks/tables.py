"""Tables that are missing, and tables that nothing made."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    history = MigrationRecorder.Migration._meta.db_table
    for _, table in sorted(fact for fact in examined.missing if fact[0] == "table" and fact[1] != history):
        yield Finding(
            id="missing-table",
            level="error",
            app=examined.owner(table),
            object=table,
            message=f"Table {table} is missing, and a recorded migration creates it.",
            hint=f"python manage.py showmigrations {examined.owner(table)} shows what is recorded; see which was faked.",
            runbook="undo-wrong-fake",
        )
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True, include_swapped=True)}
    for _, table in sorted(fact for fact in examined.extra if fact[0] == "table" and fact[1] not in known):
        yield leftover(table, examined.owner(table))


def leftover(table: str, app: str) -> Finding:
    """A table named as one of the project's apps names its own is a leftover; another may be anybody's."""
    return Finding(
        id="leftover-table" if app else "unknown-table",
        level="warning" if app else "info",
        app=app,
        object=table,
        message=f"Table {table} belongs to no model and to no recorded migration.",
        hint=f"python manage.py inspectdb {table} shows what it holds. Back it up before you drop it.",
    )
