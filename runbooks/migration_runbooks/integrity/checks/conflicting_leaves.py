"""Apps in which two migrations are the last."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    torn = {app for app, _ in examined.files.missing}  # a chain that lacks a link has an end where the link was
    for app, names in sorted(examined.files.loader.detect_conflicts().items()):
        if app in torn:
            continue
        yield Finding(
            id="conflicting-leaves",
            level="error",
            app=app,
            object=", ".join(names),
            message=f"{app} has {len(names)} last migrations: {' and '.join(names)}. None depends on the other.",
            hint=f"python manage.py makemigrations {app} --merge",
            runbook="merge-conflicting-migrations",
        )
