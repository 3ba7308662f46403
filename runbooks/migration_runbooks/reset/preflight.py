"""What speaks against beginning: the findings of check_migration_integrity, version control, and the database itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.apps import apps
from django.db import connections, router

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.git import git
from migration_runbooks.integrity.places import relative
from migration_runbooks.integrity.run import run
from migration_runbooks.reset.measure import Measured
from migration_runbooks.reset.objects import GRANTED, read_objects

HARMLESS = {"edited-migration", "stale-content-type", "sequence-behind", "orphaned-rows", "leftover-table"}
"""Findings in the chosen apps that a reset neither hides nor makes worse."""

EVERYWHERE = {
    "unapplied-migration", "unrecorded-migration", "half-applied-migration", "inconsistent-history", "duplicate-history-row",
    "conflicting-leaves", "dependency-cycle", "missing-parent", "unreadable-migration", "missing-init",
}  # fmt: skip
"""Findings that stop a reset in whatever app they are."""

READ_ONLY = {
    "sqlite": "SELECT 0",
    "postgresql": "SELECT pg_is_in_recovery()",
    "mysql": "SELECT @@global.read_only",
}


def findings(examined: Examined, chosen: Iterable[str]) -> list[str]:
    """Return what check_migration_integrity finds that a reset must not begin with, a line each."""
    return [line(finding) for finding in run(examined).findings if stops(finding, set(chosen))]


def stops(finding: Finding, chosen: set[str]) -> bool:
    if finding.id in EVERYWHERE or finding.id == "could-not-check":
        return True
    if finding.id == "model-changes-without-migration":
        return finding.level == "error"
    return finding.app in chosen and finding.level != "info" and finding.id not in HARMLESS


def line(finding: Finding) -> str:
    runbook = f" Or: runbook run {finding.runbook}" if finding.runbook else ""
    return f"{finding.id}: {finding.message} Next: {finding.hint}{runbook}"


def uncommitted(files: Iterable[Path]) -> Iterator[str]:
    """Yield the files that git says are changed and not committed. Where there is no git, that is none."""
    folders: dict[Path, list[str]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file.name)
    for folder, names in sorted(folders.items()):
        listed = git(folder, "status", "--porcelain", "-z", "--", *names, ":(glob)*.py") or ""
        for entry in filter(None, listed.split("\0")):
            yield f"{relative(folder / Path(entry[3:]).name)} is not committed. Commit it first: git add it, and git commit."


def wrong_database(alias: str, chosen: Iterable[str]) -> Iterator[str]:
    """Yield why this database is not one to act on."""
    connection = connections[alias]
    if connection.settings_dict["TEST"]["MIRROR"]:
        yield f"Database {alias!r} is a replica of {connection.settings_dict['TEST']['MIRROR']!r}. Use --database with that one."
    with connection.cursor() as cursor:
        cursor.execute(READ_ONLY[connection.vendor])
        if cursor.fetchone()[0]:
            yield f"Database {alias!r} can only be read. Use --database with the one that it follows."
    for app in chosen:
        models = list(apps.get_app_config(app).get_models(include_auto_created=True))
        if models and not any(router.allow_migrate_model(alias, model) for model in models):
            yield f"Your database router keeps {app} out of database {alias!r}. Name the one that holds it with --database."


def lost_objects(alias: str, measured: Measured) -> Iterator[str]:
    """Yield triggers, views and the like that migrations make and the database does not hold."""
    there = {each[:2] for each in read_objects(connections[alias])}
    for kind, name, _ in sorted(measured.content.objects):
        if kind not in GRANTED | {"table", "comment"} and (kind, name) not in there:
            yield f"Database {alias!r} lacks the {kind} {name}, which the migrations make. Find out who dropped it, and make it again."
