"""Rows of the history that no file explains."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding

SQUASH = re.compile(r"(\d+)_squashed_(\d+)")


def check(examined: Examined) -> Iterator[Finding]:
    loader = examined.files.loader
    installed = loader.migrated_apps | loader.unmigrated_apps
    explained = examined.files.unseen
    gone = sorted({record.key for record in examined.history} - examined.files.known)
    for app, name in gone:
        if app in installed and app not in explained and not was_squashed(name, examined, app):
            yield ghost(app, name, needed=(app, name) in examined.files.missing)
    for app, count in sorted(Counter(app for app, _ in gone if app not in installed).items()):
        yield Finding(
            id="history-of-removed-app",
            level="warning",
            app=app,
            object=app,
            message=f"{count} migrations of {app} are recorded, and no app of that label is installed.",
            hint=f"If {app} is gone for good, see with inspectdb whether its tables still hold rows before you drop them.",
            runbook="prune-ghost-records",
        )


def ghost(app: str, name: str, needed: bool) -> Finding:
    return Finding(
        id="ghost-row",
        level="error",
        app=app,
        object=name,
        message=f"{app}.{name} is recorded as applied, and there is no such file, nor a squash that replaces it.",
        hint=f"git log --all --name-only -- '*/{name}.py' finds the file; without it makemigrations may repeat its work.",
        runbook="restore-missing-migration" if needed else "prune-ghost-records",
    )


def was_squashed(name: str, examined: Examined, app: str) -> bool:
    """Whether a squash covers the number: once the squashed files are gone, `replaces` goes too, and the rows stay."""
    number = re.match(r"\d+", name)
    ranges = [SQUASH.match(other) for label, other in examined.files.loader.disk_migrations if label == app]
    return bool(number) and any(found and int(found[1]) <= int(number[0]) <= int(found[2]) for found in ranges)
