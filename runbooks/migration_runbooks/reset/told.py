"""A database with the old history and the new files, as after `git pull`: its records alone are replaced."""

from __future__ import annotations

from collections.abc import Iterable
from unittest import mock

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.sources.files import Name, read_files
from migration_runbooks.integrity.sources.history import Record
from migration_runbooks.reset import history, preflight
from migration_runbooks.reset.chosen import Chosen
from migration_runbooks.reset.plan import Plan, row
from migration_runbooks.reset.refusal import Refused


def written_by_reset(chosen: Chosen, app: str) -> list[str]:
    """Return the app's migrations that a reset wrote, not those that came after."""
    return [name for name, migration in chosen.of_app(app).items() if hasattr(migration, "reset_of")]


def stands_for(chosen: Chosen, app: str) -> list[tuple[str, ...]]:
    """Return the old names that the app's new files stand for: a squash together with those that it replaced."""
    listed = [each for name in written_by_reset(chosen, app) for each in chosen.of_app(app)[name].reset_of]
    return [(each,) if isinstance(each, str) else tuple(each) for each in listed]


def waiting(chosen: Chosen, recorded: set[Name]) -> list[str]:
    """Return the apps whose files were reset, and whose records on this database were not."""
    apps = sorted({app for app, _ in chosen.files.loader.disk_migrations})
    return [app for app in apps if (new := written_by_reset(chosen, app)) and not recorded & {(app, name) for name in new} and has_old(chosen, app, recorded)]


def has_old(chosen: Chosen, app: str, recorded: set[Name]) -> bool:
    return any((app, name) in recorded for names in stands_for(chosen, app) for name in names)


def plan_records(examined: Examined, chosen: Chosen, apps: list[str]) -> Plan:
    """Return the plan for the records of all these apps, without files. Raises Refused."""
    records = [record for record in examined.history if record.app in apps]
    recorded = {record.key for record in records}
    if lines := [line for app in apps for line in not_run(chosen, app, recorded, examined.alias)]:
        raise Refused(*lines)
    old = {(app, name) for app in apps for names in stands_for(chosen, app) for name in names}
    removed = [record for record in records if record.key in old]
    added = [(app, name) for app in apps for name in written_by_reset(chosen, app)]
    reasons = [*preflight.wrong_database(examined.alias, apps), *as_it_would_be(examined, removed, added, apps)]
    if reasons:
        raise Refused(*reasons)
    return Plan(examined.alias, apps, {}, [row(record) for record in removed], added, others=history.aliases_with(apps, examined.alias))


def not_run(chosen: Chosen, app: str, recorded: set[Name], alias: str) -> Iterable[str]:
    for first, *replaces in stands_for(chosen, app):
        if (app, first) not in recorded and not (replaces and all((app, name) in recorded for name in replaces)):
            yield (
                f"Database {alias!r} has not run {app}.{first}, which the new files stand for. Take the files from before the reset, "
                "for example with git checkout; python manage.py migrate; then take the new files and come back."
            )


def as_it_would_be(examined: Examined, removed: list[Record], added: list[Name], apps: list[str]) -> list[str]:
    """Return what check_migration_integrity would find afterwards, a line each. What is newer than the reset may be open."""
    records = [record for record in examined.history if record not in removed]
    records += [Record(0, *name, records[0].applied if records else removed[0].applied) for name in added]
    after = Examined(examined.alias, rows=False)
    after.outcomes["the recorded history"] = records
    applied = {record.key: None for record in records}
    with mock.patch.object(MigrationRecorder, "applied_migrations", lambda self: dict(applied)):
        after.outcomes["the migration files"] = read_files(connections[examined.alias])
    return [line for line in preflight.findings(after, apps) if not line.startswith("unapplied-migration")]
