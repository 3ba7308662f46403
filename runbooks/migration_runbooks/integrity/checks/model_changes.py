"""Models that changed without a migration.

Asked of the project's own makemigrations: a project may have replaced it to leave out what it does not want migrated.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from unittest import mock

from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding, Unreadable

SHOWN = 5


def check(examined: Examined) -> Iterator[Finding]:
    if examined.files.graph_error or examined.files.loader.broken:
        raise Unreadable("changes of models", "makemigrations needs files that make a graph")
    if conflicts := examined.files.loader.detect_conflicts():
        raise Unreadable("changes of models", f"makemigrations needs one last migration an app; see {', '.join(sorted(conflicts))}")
    with examined.timed("makemigrations"):
        changes = changes_of_models()
    for app, migrations in sorted(changes.items()):
        yield finding(app, [op.describe() for migration in migrations for op in migration.operations], app in examined.files.own_apps)


def finding(app: str, operations: list[str], own: bool) -> Finding:
    more = f" and {len(operations) - SHOWN} more" if len(operations) > SHOWN else ""
    listed = "; ".join(operations[:SHOWN]) + more
    if own:
        message = f"The models of {app} have changes without a migration: {listed}."
        hint = f"python manage.py makemigrations {app}, then read what it wrote."
    else:
        message = f"{app}, installed from a package, differs from the migrations it came with: {listed}."
        hint = (
            "Don't run makemigrations for it: the file would lie in site-packages and go with the next install. "
            "Often DEFAULT_AUTO_FIELD is the cause: set default_auto_field in an AppConfig of your own for it."
        )
    return Finding("model-changes-without-migration", "error" if own else "warning", app, app, message, hint)


def changes_of_models() -> dict[str, list]:
    """Return the migrations that makemigrations would write, by app, and write none."""
    command = own_makemigrations()
    found: dict[str, list] = {}
    silent = io.StringIO()
    with ExitStack() as patches:
        # Instead of files; an inconsistent history is another check's, and answers are not asked for.
        patches.enter_context(mock.patch.object(command, "write_migration_files", lambda changes, *_: found.update(changes)))
        patches.enter_context(mock.patch.object(MigrationLoader, "check_consistent_history", lambda *_: None))
        for question in ("ask_not_null_addition", "ask_not_null_alteration", "ask_auto_now_add_addition"):
            patches.enter_context(mock.patch.object(NonInteractiveMigrationQuestioner, question, lambda *_: None))
        try:
            call_command(command, dry_run=True, interactive=False, verbosity=0, stdout=silent, stderr=silent)
        except SystemExit as error:
            if error.code and not found:
                raise Unreadable("changes of models", f"makemigrations ended with status {error.code}: {silent.getvalue()}") from error
    return found


def own_makemigrations() -> BaseCommand:
    place = get_commands()["makemigrations"]
    return place if isinstance(place, BaseCommand) else load_command_class(place, "makemigrations")
