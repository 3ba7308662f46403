"""A plan, and what has become of it, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import connections

from migration_runbooks.integrity.places import relative
from migration_runbooks.reset.plan import Plan

COMMAND = "python manage.py reset_migrations"


def plan_text(plan: Plan) -> str:
    return "\n".join(lines(plan))


def lines(plan: Plan) -> Iterator[str]:
    vendor = connections[plan.alias].display_name
    yield f"Plan: a new history for {', '.join(plan.apps)}, on database {plan.alias!r} ({vendor})"
    if not plan.files:
        yield "Files: none. They are new already, and this database has the old records."
    yield from section("Files removed", map(shown, plan.paths(before=True, after=False)))
    yield from section("Files written", map(shown, plan.paths(before=False, after=True)))
    yield from section("Files changed, because they name what is removed", map(shown, plan.paths(before=True, after=True)))
    yield from section("Operations that makemigrations can't write", plan.carried)
    yield from records("Records removed", [(app, name) for _, app, name, _ in plan.removed])
    yield from records("Records added", plan.added)
    yield from section("Notes", plan.notes)
    if plan.files:
        yield "Proven: an empty database of this kind gets the same tables, columns, keys, objects and rows from the new files as from the old ones."
    yield "Backup: before the first change, restored elsewhere and compared."
    yield "Locks: none on your tables; one short transaction on django_migrations."


def section(title: str, items) -> Iterator[str]:
    listed = list(items)
    if listed:
        yield f"{title} ({len(listed)}):"
        yield from (f"  {item}" for item in listed)


def records(title: str, names: list[tuple[str, str]]) -> Iterator[str]:
    yield f"{title} ({len(names)}):"
    for app in sorted({app for app, _ in names}):
        yield f"  {app}: {', '.join(name for label, name in names if label == app)}"


def shown(path: str) -> str:
    return relative(Path(path))


def for_others(plan: Plan) -> str:
    """Say what must be run on every other database that has the old history."""
    apps = " ".join(plan.apps)
    found = []
    if plan.others:
        found.append("This project's other databases have the old history too. For each of them:")
        found += [f"  {COMMAND} {apps} --database {alias} --apply" for alias in plan.others]
    if plan.files:
        found += [
            "Everybody else whose database has the old history (production, staging, colleagues):",
            "  1. With the old files: python manage.py migrate",
            "  2. Take the new files. Until the next step is done, migrate stops there with an error.",
            f"  3. {COMMAND} {apps} --apply",
            "New databases: python manage.py migrate, as always.",
        ]
    return "\n".join(found)


def done(plan: Plan) -> str:
    what = f"{len(plan.paths(before=True, after=False))} files became {len(plan.paths(before=False, after=True))}" if plan.files else "the files were new already"
    commit = ["Commit the removed, the new and the changed files together."] if plan.files else []
    if plan.paths(before=True, after=True):
        commit.append("check_migration_integrity will ask about the changed files; --write-fingerprints accepts them.")
    undo = f"To take it back: {COMMAND} --undo"
    return "\n".join(
        filter(None, [f"Done: {', '.join(plan.apps)}: {what}, {len(plan.removed)} records became {len(plan.added)}.", *commit, for_others(plan), undo])
    )
