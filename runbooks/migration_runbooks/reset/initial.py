"""The new first migrations, written by the project's own makemigrations as if the chosen apps had none."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from unittest import mock

from django.apps import apps as installed
from django.core.management import call_command
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter

from migration_runbooks.integrity.checks.model_changes import own_makemigrations
from migration_runbooks.reset.chosen import Chosen
from migration_runbooks.reset.refusal import Refused
from migration_runbooks.reset.staging import Texts, staged
from migration_runbooks.reset.text import with_lines_before, written

TITLE = "reset"


def initial_migrations(chosen: Chosen, taken: Iterable[str], others: Texts) -> dict[str, list[Migration]]:
    """Return the new migrations by app. `others` are the texts of apps that depend on the chosen ones, without that.

    `taken` are names that were ever used: an old record must not pass for a new migration.
    Raises Refused with what makemigrations says when it can't.
    """
    found: dict[str, list[Migration]] = {}
    title = free_title(taken)
    for together in in_order(set(chosen.apps)):
        texts = {app: {each.name: text_of(each, []) for each in found.get(app, [])} for app in chosen.apps}
        with staged(chosen.folders, texts | others):
            found |= made(together, title)
    return found


def in_order(apps: set[str]) -> Iterator[list[str]]:
    """Yield the apps, each after those that its models point to; those that point to each other come together.

    makemigrations would take them by name, and split each app into more files than it needs.
    """
    left = set(apps)
    while left:
        together = min((reached(app, left) for app in sorted(left)), key=len)
        yield sorted(together)
        left -= together


def reached(app: str, within: set[str]) -> set[str]:
    found, open_ends = {app}, [app]
    while open_ends:
        new = targets(open_ends.pop()) & within - found
        found |= new
        open_ends += new
    return found


def targets(app: str) -> set[str]:
    """Return the apps that an app's models point to or inherit from."""
    models = list(installed.get_app_config(app).get_models(include_auto_created=True))
    fields = [field for model in models for field in model._meta.get_fields(include_parents=False) if not field.auto_created or field.concrete]
    pointed = {field.related_model._meta.app_label for field in fields if hasattr(field.related_model, "_meta")}
    return pointed | {parent._meta.app_label for model in models for parent in model._meta.get_parent_list()}


def made(apps: list[str], title: str) -> dict[str, list[Migration]]:
    """Return what makemigrations would write for these apps. Raises Refused."""
    found: dict[str, list[Migration]] = {}
    command, said = own_makemigrations(), io.StringIO()
    with ExitStack() as during:
        during.enter_context(mock.patch.object(command, "write_migration_files", lambda changes, *_: found.update(changes)))
        during.enter_context(mock.patch.object(MigrationLoader, "check_consistent_history", lambda *_: None))
        during.enter_context(redirect_stdout(said))
        during.enter_context(redirect_stderr(said))
        try:
            call_command(command, *apps, name=title, interactive=False, verbosity=0, stdout=said, stderr=said)
        except (Exception, SystemExit) as error:
            raise Refused(f"makemigrations can't write a new first migration: {said.getvalue().strip() or error}") from error
    if strange := sorted(found.keys() - set(apps)):
        raise Refused(f"makemigrations would also write migrations for {', '.join(strange)}. Name them too, or migrate their changes first.")
    return found


def free_title(taken: Iterable[str]) -> str:
    used = {name.split("_", 1)[-1] for name in taken}
    number, title = 1, TITLE
    while title in used:
        number += 1
        title = f"{TITLE}_{number}"
    return title


def text_of(migration: Migration, before: list[Operation]) -> str:
    """Write a new migration; `before` runs first in it."""
    whole = copy.copy(migration)
    whole.operations = [*before, *migration.operations]
    return MigrationWriter(whole, include_header=False).as_string()


def standing_for(text: str, app: str, replaced: list[tuple[str, ...]]) -> str:
    """Return a new file's text with the names of the old ones that it stands for, by which other databases are told.

    A squash stands together with those that it replaces. Each new file says `reset_of`, so that later ones are known from it.
    """
    if not replaced:
        return with_lines_before(text, "dependencies", ["reset_of = []", ""])
    command = f"# python manage.py reset_migrations {app} --apply"
    items = [written(names) if len(names) > 1 else f'"{names[0]}"' for names in replaced]
    lines = ["# A database that ran all of these has its records replaced by", command, "reset_of = [", *(f"    {item}," for item in items), "]", ""]
    return with_lines_before(text, "dependencies", lines)


def replaced_by(chosen: Chosen, app: str) -> list[tuple[str, ...]]:
    """Return the names of the app's migrations of the graph, each squash followed by those that it replaces."""
    found = []
    for name in [name for name in chosen.names if name[0] == app]:
        replaces = chosen.files.loader.disk_migrations[name].replaces
        found.append((name[1], *(old for label, old in replaces if label == app)))
    return found

